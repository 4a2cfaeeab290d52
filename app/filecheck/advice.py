"""Says what to do about a reason for which rows are rejected, where the detail does not say it."""

from collections.abc import Mapping

from models.contract.outcome import Reason

ADVICE: Mapping[str, str] = {
    Reason.INVALID_TIME: "write times as seconds since 1970, or with a zone, such as 2022-06-24T21:20:11Z",
    Reason.TOO_OLD: "write times in seconds since 1970; leave out what a clock that was never set wrote",
    Reason.FROM_THE_FUTURE: "write times in seconds since 1970: divide milliseconds by 1,000",
    Reason.WRONG_TYPE: "write numbers with a point and without separators (1250.00), and ids as text",
    Reason.MISSING_FIELD: "fill the field in, or leave the row out",
    Reason.EMPTY_ID: "fill the id in, or leave the field out",
    Reason.NO_USER: "fill in user_id, or session_id for guests",
    Reason.UNKNOWN_KIND: "write view, click, cart, order, fav or rating as the kind",
    Reason.INVALID_UTF8: "save the file as UTF-8, or name its encoding: --encoding cp1251 (Cyrillic), cp932 (Japan), …",
    Reason.MALFORMED_JSON: "write one JSON object a line, with double quotes around names and texts, and null for NaN",
    Reason.NOT_AN_OBJECT: "write one JSON object a line, with a name for each field",
    Reason.TOO_LARGE: "shorten the texts, or raise HEADRACE_EVENTS_MAX_BYTES",
    Reason.ZERO_PRICE: "leave the cell empty if the price is not known; a gift or a sample is no order",
    Reason.NEGATIVE_PRICE: "leave corrections of accounts out",
    Reason.RETURNED: "leave returns out: they are not learned",
    Reason.CANCELLATION: "leave it out, or send the event of the order again with cancelled_at",
    Reason.IMPLAUSIBLE_QUANTITY: "correct the quantity, or raise HEADRACE_EVENTS_QUANTITY_LIMIT",
    Reason.NON_PRODUCT: "leave postage, fees and discounts out: they are nothing to recommend",
    Reason.STOCK_REMARK: "leave movements of the stock out: nobody ordered anything",
    Reason.ROBOT: "leave out what programs do, or set HEADRACE_PLAUSIBILITY_ROBOTS=accept",
    Reason.PRICE_OUTLIER: "correct the price, or set HEADRACE_PLAUSIBILITY_PRICES=accept",
    Reason.FIELD_TOO_LONG: "shorten the text, or map another column to the field",
}

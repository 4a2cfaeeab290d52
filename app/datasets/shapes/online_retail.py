"""The shape of UCI's Online Retail logs, I and II: every line of a wholesaler's invoices.

Source: archive.ics.uci.edu/dataset/352, archive.ics.uci.edu/dataset/502. An invoice whose number
begins with `C` is a cancellation. Among the lines are postage, fees, discounts and corrections by
hand under codes of their own, and movements of the stock with a remark for a description.
"""

from collections.abc import Iterator

from app.datasets.record import Row
from app.datasets.shapes.shape import Fields, RowPart, Shape
from models.contract.outcome import Reason
from models.quality.remark_words import is_remark

# Postage, postage by DOTCOM, manual, carriage, discount, samples, fees, bad debt, charity, pads.
NON_PRODUCTS = frozenset(
    {"POST", "DOT", "M", "C2", "D", "S", "BANK CHARGES", "AMAZONFEE", "B", "CRUK", "PADS", "ADJUST", "TEST001"}
)
CANCELLED = "C"


CANCELLED_AT = "CancelledAt"  # a column that no file has: when the line was cancelled


def _lines(rows: Iterator[Row]) -> Iterator[RowPart]:
    """Yield each line. A cancellation is the newest line of an order that it cancels as a whole."""
    standing: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for row in rows:
        fields = row.fields or {}
        fault, line = _fault(fields), _line(fields)
        order = (_invoice(fields), _text(fields, "InvoiceDate"))
        if fault is None and line[0]:
            of_line = standing.setdefault(line, [])
            if order not in of_line:  # equal lines of one invoice are repeats
                of_line.append(order)
        elif fault is not None and fault[0] is Reason.CANCELLATION and standing.get(line):
            invoice, date = standing[line].pop()
            numbers = dict.fromkeys(("InvoiceNo", "Invoice"), invoice)
            quantity = _text(fields, "Quantity").lstrip("-")
            cancelled = {"Quantity": quantity, "InvoiceDate": date, CANCELLED_AT: order[1]}
            yield RowPart(row, fields | numbers | cancelled)
            continue
        yield RowPart(row if fault is None else row._replace(fault=fault), fields)


def _line(fields: Fields) -> tuple[str, ...]:
    """What a cancellation shares with the line that it cancels; it does not name the invoice."""
    customer = _text(fields, "CustomerID") or _text(fields, "Customer ID")
    price = _text(fields, "UnitPrice") or _text(fields, "Price")
    return customer, _text(fields, "StockCode").upper(), _text(fields, "Quantity").lstrip("-"), price


def _invoice(fields: Fields) -> str:
    return _text(fields, "InvoiceNo") or _text(fields, "Invoice")


def _fault(fields: Fields) -> tuple[Reason, str] | None:
    """Return why a line is no order of a product; None if it may be one."""
    code = _text(fields, "StockCode").upper()
    invoice = _invoice(fields)
    remark = _text(fields, "Description")
    if code in NON_PRODUCTS:
        return Reason.NON_PRODUCT, f"{code} is no product"
    if invoice.startswith(CANCELLED):
        return Reason.CANCELLATION, f"invoice {invoice} cancels {_text(fields, 'Quantity').lstrip('-')} of {code}"
    if remark and (is_remark(remark) or not any(map(str.isalnum, remark))):
        return Reason.STOCK_REMARK, f"the description is {remark[:40]!r}: a movement of the stock"
    return None


def _text(fields: Fields, name: str) -> str:
    return str(fields.get(name) or "").strip()


ONLINE_RETAIL = Shape(
    name="online-retail",
    of="events",
    title="UCI Online Retail invoices",
    marks=(
        frozenset({"InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice"}),
        frozenset({"Invoice", "StockCode", "Quantity", "InvoiceDate", "Price"}),
    ),
    # The lines of an invoice share its number as their id: those that are equal are repeats.
    fields={
        "event_id": ("InvoiceNo", "Invoice"),
        "session_id": ("InvoiceNo", "Invoice"),
        "user_id": ("CustomerID", "Customer ID"),
        "item_id": ("StockCode",),
        "ts": ("InvoiceDate",),
        "quantity": ("Quantity",),
        "price": ("UnitPrice", "Price"),
        "cancelled_at": (CANCELLED_AT,),
    },
    kind="order",
    zone="UTC",
    explode=_lines,
    zero_is_unknown=False,
)

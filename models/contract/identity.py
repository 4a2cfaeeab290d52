"""Tell a repeat of an event from another event under the same id.

Shops send an order's lines under one number, for example. Such lines are events of their own.
"""


def identity(
    event_id: str, user_id: str, item_id: str, price: float | None = None, quantity: float | None = None
) -> str:
    """Return a text that two events share only if the second is a repeat of the first.

    The time is left out, because producers may stamp a retry again; so is what a page says beside.

    >>> identity("o1", "ada", "tea") == identity("o1", "ada", "cup")
    False
    """
    amounts = "" if price is None and quantity is None else f"{_amount(price)} {_amount(quantity)} "
    return f"{amounts}{len(event_id)} {len(user_id)} {event_id}{user_id}{item_id}"


def _amount(value: float | None) -> str:
    return "-" if value is None else repr(float(value))  # 9 and 9.0 are the same

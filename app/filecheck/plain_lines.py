"""Finds the lines of JSON that are plainly good events or items, with a typed decoder.

A line is plainly good only if the worker's checks would accept it. All others are doubtful, and are
judged by these checks.
"""

from collections import Counter
from typing import Annotated, Any, Literal

import msgspec
import orjson
from msgspec import Meta, Struct, field

from app.datasets.field import TOPIC_OF_WORD
from app.datasets.record import Portion
from app.filecheck.plain import Plain
from app.filecheck.rejected import Identity
from models.contract.event_codec import EventSettings
from models.contract.events import GUEST_PREFIX, OLDEST_TS
from models.contract.fields import Refused, moment
from models.contract.item_codec import MAX_TEXT_LENGTH, MAX_TITLE_LENGTH, MAX_URL_LENGTH
from models.contract.typed_event import REFUSALS, Currency, Id, NotNegative, Positive, Text
from models.contract.visible import is_visible

Title = Annotated[str, Meta(max_length=MAX_TITLE_LENGTH)]
Url = Annotated[str, Meta(max_length=MAX_URL_LENGTH)]
NAME_OF_DELETED = "__deleted"


class LoggedEvent(Struct, kw_only=True, gc=False):
    """An event as a log has it: with its kind. It may have more fields, but no mark of Debezium."""

    event_id: Id
    item_id: Id
    ts: float | str
    kind: Literal["view", "click", "cart", "order", "fav"]
    user_id: Id | None = None
    session_id: Id | None = None
    price: NotNegative | None = None
    quantity: Positive | None = None
    currency: Currency | None = None
    request_id: Text | None = None
    position: NotNegative | None = None
    surface: Text | None = None
    cancelled_at: None = None
    deleted: None = field(default=None, name=NAME_OF_DELETED)


class LoggedItem(Struct, kw_only=True, gc=False):
    """An item as a log has it."""

    item_id: Id
    title: Title | None = None
    category: Title | None = None
    brand: Title | None = None
    description: Annotated[str, Meta(max_length=MAX_TEXT_LENGTH)] | None = None
    price: NotNegative | None = None
    currency: Text | None = None
    available: bool | None = None
    attributes: dict[str, Any] | None = None
    updated_at: float | str | None = None
    url: Url | None = None
    image_url: Url | None = None
    deleted: None = field(default=None, name=NAME_OF_DELETED)


class PlainLines:
    """Judges portions of JSON lines in Headrace's own form."""

    def __init__(self, of: str, settings: EventSettings, latest: float) -> None:
        self._is_events = of == "events"
        self._most_bytes = settings.max_bytes
        self._latest = latest
        self._no_goods, self._most = settings.no_goods(), settings.quantity_limit

    def judge(self, portion: Portion) -> Plain:
        """Return what is plain about the lines of a portion."""
        read = self._event if self._is_events else self._item
        found: list[tuple[str, Identity | None]] = []
        doubtful: list[int] = []
        for at, line in enumerate(portion.lines):
            try:
                plain = read(orjson.loads(line)) if len(line) <= self._most_bytes else None
            except (*REFUSALS, Refused):
                plain = None
            if plain is None:
                doubtful.append(at)
            else:
                found.append(plain)
        identities = [each for _, each in found if each is not None]
        return Plain(Counter(topic for topic, _ in found), Counter(), identities, doubtful)

    def _event(self, value: object) -> tuple[str, Identity] | None:
        event = msgspec.convert(value, LoggedEvent)
        user = event.user_id or (GUEST_PREFIX + event.session_id if event.session_id else "")
        ts = event.ts if type(event.ts) is float else moment("ts", event.ts)
        is_free = event.price == 0 and event.kind == "order"
        if not user or is_free or not OLDEST_TS <= ts <= self._latest:
            return None
        if (event.quantity or 0) > self._most or event.item_id in self._no_goods:
            return None
        return TOPIC_OF_WORD[event.kind], (event.event_id, user, event.item_id, event.price, event.quantity)

    def _item(self, value: object) -> tuple[str, None] | None:
        item = msgspec.convert(value, LoggedItem)
        is_shown = item.title is None or is_visible(item.title)
        is_past = item.updated_at is None or OLDEST_TS <= moment("updated_at", item.updated_at) <= self._latest
        return ("items", None) if is_shown and is_past else None

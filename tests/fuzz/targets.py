"""What must hold for any bytes, for each reader of bytes from outside."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from app.errors import HeadraceError
from app.guard.access import Access
from app.store.answers import decode_worker
from headrace.answers import decode_history, decode_item
from headrace.lists import decode_list, decode_similar
from models.contract.event_codec import EventSettings, check_event, decode
from models.contract.events import KIND_OF_TOPIC, Kind, RawBatch
from models.contract.fields import Refused, parse_object
from models.contract.formats import NewerFormat
from models.contract.item_codec import decode_items
from models.contract.moved import LOG, OFFSET, PARTITION, TIME, TOPIC, by_origin
from models.contract.typed_event import EventRecord
from models.contract.wire import decode_interaction, decode_log
from models.inference.manifest import ManifestError, parse_manifest
from models.users.stored import decode_profile

CORPUS = Path(__file__).parent / "corpus"
NOW = 1_760_000_000.0
SEPARATOR = b"\x00"  # between the parts of an input
FIELDS = EventRecord.__struct_fields__
ORIGIN = (TOPIC, PARTITION, OFFSET, LOG, TIME)


def batch(*records: tuple[bytes | None, bytes | None], topic: str = "views") -> RawBatch:
    """A batch of these keys and values."""
    count = len(records)
    keys, values = [key for key, _ in records], [value for _, value in records]
    return RawBatch(topic, 0, np.arange(count), np.full(count, NOW), keys, values)


def events(data: bytes) -> None:
    """An event is accepted or refused with a reason, and both ways of reading it agree."""
    kind, value = Kind(data[:1][0] % len(Kind)) if data else Kind.VIEW, data[1:]
    found = decode(batch((b"u1", value)), kind, EventSettings())
    assert len(found.accepted) + len(found.rejected) == 1
    assert all(each.detail and each.value is value for each in found.rejected)
    slow = _slowly(value, kind)
    if isinstance(slow, Refused):
        assert [(each.reason, each.detail) for each in found.rejected] == [(slow.reason, slow.detail)]
    else:
        [quick] = found.accepted.events
        assert [getattr(quick, name) for name in FIELDS] == [getattr(slow, name) for name in FIELDS]


def _slowly(value: bytes, kind: Kind) -> EventRecord | Refused:
    try:
        parsed = parse_object(value, EventSettings().max_bytes)
        return check_event(parsed, kind, NOW + EventSettings().future_tolerance_seconds)
    except Refused as refused:
        return refused


def items(data: bytes) -> None:
    """A record of the catalogue changes something or is refused with a reason."""
    key, there, value = data.partition(SEPARATOR)
    [found] = decode_items(batch((key, value if there else None), topic="items"), EventSettings())
    assert found.change is not None or found.rejected is not None
    assert found.change is None or 1 <= len(found.change.item_id) <= 128
    assert found.rejected is None or found.rejected.detail


def interactions(data: bytes) -> None:
    """The log of interactions is read, whatever it holds, one by one as all together; or it is of a
    newer version.
    """
    values = [*data.split(SEPARATOR), None]
    try:
        found = decode_log(values)
    except NewerFormat:
        return
    assert decode_log(values[:-1]) == found[:-1]
    for value, each in zip(values[:-1], found, strict=False):
        alone = None
        with suppress(ValueError):
            alone = decode_interaction(value or b"")
        assert alone == each


def moved(data: bytes) -> None:
    """A record of `moved` has an origin, or is refused."""
    parts = [part or None for part in data.split(SEPARATOR, len(ORIGIN))]
    raw = batch((b"u1", parts[-1]), topic="moved")
    headers = list(zip(ORIGIN, parts, strict=False))
    whole = RawBatch(raw.topic, 0, raw.offsets, raw.times, raw.keys, raw.values, headers=[headers])  # type: ignore[list-item]  # Kafka's headers may be null
    found, rejected = by_origin(whole, KIND_OF_TOPIC)
    assert sum(map(len, found)) + len(rejected) == 1


def profiles(data: bytes) -> None:
    """A stored profile is read, or refused with one of the errors that its reader names."""
    names = ("recent", "state", "counts", "bought", "session", "offsets")
    fields = {name: part for name, part in zip(names, data.split(SEPARATOR * 4), strict=False) if part}
    with suppress(ValueError, KeyError, TypeError, NewerFormat):
        decode_profile("u1", fields)


def answers(data: bytes) -> None:
    """What look-ups find in Redis is read, or refused in words."""
    parts = [*data.split(SEPARATOR * 4), b"", b""]
    readers: tuple[Callable[[], object], ...] = (
        lambda: decode_list(parts[0]),
        lambda: decode_similar(parts[0]),
        lambda: decode_worker(parts[0]),
        lambda: decode_history("u1", parts[0], parts[1]),
        lambda: decode_item("i1", [part or None for part in (parts * 12)[:12]]),
    )
    for read in readers:
        with suppress(HeadraceError):
            read()


def manifests(data: bytes) -> None:
    """A manifest of models is read, or refused in words."""
    with suppress(ManifestError):
        parse_manifest(data.decode(errors="replace"))


def authorizations(data: bytes) -> None:
    """No header but the token opens anything."""
    access = Access.of_tokens(["token-for-tests-0123456789"])
    header = data.decode(errors="surrogateescape")
    opened = access.allows("/users", header)
    assert opened is (header.lower().startswith("bearer ") and header[7:].strip() == "token-for-tests-0123456789")


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (events, items, interactions, moved, profiles, answers, manifests, authorizations)
}


def kept(name: str) -> list[Path]:
    """The inputs that are kept for a target, in the order of their names."""
    return sorted((CORPUS / name).iterdir())

"""What must hold for any bytes and any log: nothing raises, nothing is lost, nothing counts
twice.
"""

from contextlib import suppress
from dataclasses import replace
from itertools import groupby

import numpy as np
import orjson
import pytest
from builders import DAY, HOUR, NOW, Fields, Outcome, PureWorker, batch, event, interaction, item, keys_of
from hypothesis import given
from hypothesis import strategies as st

from models.contract.event_codec import KNOWN_FIELDS, EventSettings, check_event, decode
from models.contract.events import KIND_OF_TOPIC, Kind, RawBatch
from models.contract.fields import parse_object
from models.contract.item_codec import Deleted, Withdrawn, decode_items
from models.contract.typed_event import EventRecord, quick_events
from models.contract.wire import Learned, decode_interaction
from models.duplicates import DuplicateFilter
from models.profile import Profile

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=140)
)
anything = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
field_names = st.sampled_from([*event(), *interaction(), "session_id", "price", "quantity", "currency", "title", "x"])
# Good events with a few fields replaced: random bytes alone would never get past the parser.
nearly_events = st.builds(lambda said: {**event(), **said}, st.dictionaries(field_names, anything, max_size=3))
values = st.none() | st.binary(max_size=40) | anything.map(orjson.dumps) | nearly_events.map(orjson.dumps)

nearly_items = st.builds(
    lambda said: {**item(available=False), **said},
    st.dictionaries(st.sampled_from(["item_id", "title", "available", "availability", "price", "brand"]), anything),
)
item_values = values | nearly_items.map(orjson.dumps)


@given(st.lists(values, max_size=8), st.sampled_from(Kind))
def test_every_record_is_accepted_or_rejected_and_nothing_raises(records: list[bytes | None], kind: Kind) -> None:
    raw = batch(*records, first=100)
    decoded = decode(raw, kind, EventSettings())
    rejected = [each.offset for each in decoded.rejected]
    assert sorted(decoded.accepted.offsets.tolist() + rejected) == raw.offsets.tolist()
    assert all(each.value == raw.values[each.offset - 100] for each in decoded.rejected)
    assert np.isfinite(decoded.accepted.ts).all()
    assert all(1 <= len(each) <= 128 for each in decoded.accepted.item_ids)


numbers = st.sampled_from(
    [b"0", b"-0", b"-0.0", b"1e3", b"1E-7", b"12345678901234567890123", b"1.", b"01", b"0.5", b"1e999"]
)
# Numbers and strings as no encoder of ours would write them, and fields that come twice.
written = st.sampled_from(
    [b"null", b"true", b'""', b'"EUR"', b'"EUR\\n"', b'"\\ud800"', b'"\xff"', b'"\\u0041"', b'"2025-10-09T08:00:00Z"']
)
pairs = st.tuples(field_names.map(orjson.dumps), numbers | written | scalars.map(orjson.dumps))
odd_events = st.lists(pairs, max_size=4).map(
    lambda said: orjson.dumps(event())[:-1] + b"".join(b"," + name + b":" + value for name, value in said) + b"}"
)


@given(st.lists(values | odd_events, max_size=8), st.sampled_from(Kind), st.integers(1, 400))
def test_the_quick_way_accepts_what_the_slow_way_accepts(
    records: list[bytes | None], kind: Kind, max_bytes: int
) -> None:
    latest = [NOW + 300.0] * len(records)
    for value, quick in zip(records, quick_events(records, kind, latest, max_bytes), strict=True):
        if quick is not None:
            parsed = parse_object(value, max_bytes)
            slow = check_event(parsed, kind, NOW + 300.0)
            assert [(type(each), each) for each in fields_of(quick)] == [(type(each), each) for each in fields_of(slow)]
            assert parsed.keys() <= KNOWN_FIELDS


def fields_of(record: EventRecord) -> list[object]:
    return [getattr(record, name) for name in record.__struct_fields__]


def test_an_ordinary_event_takes_the_quick_way() -> None:
    said = {"price": 9, "quantity": 2.5, "currency": "EUR", "request_id": "r", "position": 0, "surface": "home"}
    for ts in (NOW, int(NOW), "2025-10-09T08:00:00Z"):
        [quick] = quick_events([orjson.dumps(event(ts=ts, session_id="s1", **said))], Kind.ORDER, [NOW + 1], 1_000)
        assert quick is not None
        assert type(quick.ts) is float


@given(st.lists(item_values, max_size=8))
def test_every_item_record_is_a_change_or_rejected_and_nothing_raises(records: list[bytes | None]) -> None:
    outcomes = decode_items(batch(*records, topic="items"), EventSettings())
    assert len(outcomes) == len(records)
    for outcome, value in zip(outcomes, records, strict=True):
        assert outcome.change is not None or outcome.rejected is not None
        assert outcome.rejected is None or outcome.rejected.value == value
        assert outcome.rejected is None or outcome.change is None or isinstance(outcome.change, Withdrawn)


@given(anything.map(orjson.dumps) | st.binary(min_size=1, max_size=40))
def test_a_deletion_names_a_readable_id_or_is_rejected(key: bytes) -> None:
    raw = batch(None, topic="items")
    raw.keys[0] = key
    [outcome] = decode_items(raw, EventSettings())
    assert (outcome.change is None) == (outcome.rejected is not None)
    assert outcome.change is None or 1 <= len(outcome.change.item_id) <= 128


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=128))
def test_an_id_that_a_json_converter_wrote_is_read_back(item_id: str) -> None:
    wrapped = batch(*[None] * 3, topic="items")
    plain = orjson.dumps(item_id)
    wrapped.keys[:] = [plain, b'{"item_id":%s}' % plain, b'{"schema":{"type":"string"},"payload":%s}' % plain]
    for outcome in decode_items(wrapped, EventSettings()):
        # An id that is JSON itself cannot be told from one that was wrapped twice.
        assert outcome.change == Deleted(item_id) or item_id.lstrip()[:1] in ('"', "{", "[")


@given(st.binary(max_size=40) | anything.map(orjson.dumps) | nearly_events.map(orjson.dumps))
def test_an_interaction_is_read_or_a_value_error(value: bytes) -> None:
    with suppress(ValueError):
        assert isinstance(decode_interaction(value), Learned)


# Times at which every rule about sessions, windows and decay has something to decide.
moments = st.integers(0, 60).map(lambda step: NOW - 60 * 1_200.0 + 1_200.0 * step)
happenings = st.builds(
    event,
    st.integers(0, 15).map(str),
    user_id=st.sampled_from(["u1", "u2"]),
    item_id=st.sampled_from(["a", "b", "c", "d"]),
    ts=moments,
    session_id=st.sampled_from([None, None, "s1"]),
)
topics = st.sampled_from(["views", "clicks", "carts", "orders"])
logs = st.lists(st.tuples(topics, happenings), max_size=40)


def batches(log: list[tuple[str, Fields]], size: int) -> list[RawBatch]:
    """The log as its records would be fetched: runs of one topic, at most `size` long, each topic
    counting offsets.
    """
    ends: dict[str, int] = {}
    found = []
    for topic, run in groupby(log, key=lambda pair: pair[0]):
        events = [fields for _, fields in run]
        for start in range(0, len(events), size):
            cut = events[start : start + size]
            found.append(batch(*cut, topic=topic, first=ends.get(topic, 0)))
            ends[topic] = ends.get(topic, 0) + len(cut)
    return found


def process(worker: PureWorker, raws: list[RawBatch]) -> list[Outcome]:
    return [worker.decide(raw, KIND_OF_TOPIC[raw.topic]) for raw in raws]


def distinct(log: list[tuple[str, Fields]]) -> list[tuple[str, Fields]]:
    """The log with event ids that never repeat: which of two repeats is first does depend on the
    order.
    """
    return [(topic, {**fields, "event_id": f"e{at}"}) for at, (topic, fields) in enumerate(log)]


def emitted(effects: list[Outcome]) -> list[bytes]:
    return [value for each in effects for value in each.interactions]


@given(logs, st.integers(1, 9))
def test_how_a_log_is_cut_into_batches_changes_nothing(log: list[tuple[str, Fields]], size: int) -> None:
    one_by_one, cut = PureWorker(), PureWorker()
    first, second = process(one_by_one, batches(log, 1)), process(cut, batches(log, size))
    assert emitted(first) == emitted(second)
    assert sum(each.duplicates for each in first) == sum(each.duplicates for each in second)
    assert same(one_by_one.profiles, cut.profiles)


@given(logs, st.integers(1, 9), st.integers(0, 40), st.integers(1, 9))
def test_a_log_read_again_from_anywhere_changes_no_profile(
    log: list[tuple[str, Fields]], size: int, back: int, other_size: int
) -> None:
    worker = PureWorker()
    raws = batches(log, size)
    process(worker, raws)
    before = dict(worker.stored)
    for raw in batches(log, other_size)[back % (len(raws) + 1) :]:
        worker.decide(raw, KIND_OF_TOPIC[raw.topic])
    assert worker.stored == before


@given(logs)
def test_the_order_between_sources_does_not_matter_to_profiles(log: list[tuple[str, Fields]]) -> None:
    # But for the open session: an event that is late beyond 30 minutes cannot join what it was not
    # there to open.
    by_topic = sorted(distinct(log), key=lambda pair: pair[0])
    mixed = distinct(log)
    apart, together = PureWorker(), PureWorker()
    process(apart, batches(by_topic, 5))
    process(together, batches(mixed, 5))
    assert same(sessionless(apart.profiles), sessionless(together.profiles))


def sessionless(profiles: dict[str, Profile]) -> dict[str, Profile]:
    return {user: replace(profile, session=None) for user, profile in profiles.items()}


def same(some: dict[str, Profile], others: dict[str, Profile]) -> bool:
    assert some.keys() == others.keys()
    for user, profile in some.items():
        assert others[user].counts == pytest.approx(profile.counts, abs=1e-9)
        assert replace(others[user], counts=profile.counts) == profile
    return True


ids = st.integers(0, 12).map(str)
seen_at = st.integers(0, 6).map(lambda day: NOW + 8 * HOUR * day)
sources = st.sampled_from(["views-0", "views-1", "clicks-0"])
records = st.lists(st.tuples(sources, ids, seen_at), max_size=60)


class NaiveFilter:
    """Remembers every id with where and when it was last accepted."""

    def __init__(self) -> None:
        self.accepted: dict[str, tuple[str, int, float]] = {}

    def remember(self, source: str, offset: int, ts: float, event_id: str) -> bool:
        known = self.accepted.get(event_id)
        if known is not None and abs(known[2] - ts) <= DAY and known[:2] != (source, offset):
            return True
        self.accepted[event_id] = (source, offset, ts)
        return False


@given(records, st.integers(1, 10), st.booleans())
def test_the_duplicate_filter_does_what_a_dictionary_would_do(
    log: list[tuple[str, str, float]], size: int, twice: bool
) -> None:
    naive, seen = NaiveFilter(), DuplicateFilter(DAY, 1_000)
    for _ in range(1 + twice):
        ends: dict[str, int] = {}
        for source, run in groupby(log, key=lambda record: record[0]):
            rows = list(run)
            for start in range(0, len(rows), size):
                cut = rows[start : start + size]
                first = ends.get(source, 0)
                ends[source] = first + len(cut)
                offsets = np.arange(first, first + len(cut), dtype=np.int64)
                ts = np.array([moment for _, _, moment in cut])
                found = seen.remember(
                    source, offsets, np.full(len(cut), NOW), ts, keys_of([each for _, each, _ in cut])
                )
                pairs = zip(offsets.tolist(), cut, strict=True)
                assert found.tolist() == [naive.remember(source, at, when, name) for at, (_, name, when) in pairs]

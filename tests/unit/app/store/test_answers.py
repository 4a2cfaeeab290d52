"""Raw Redis values to answers."""

import pytest

from app.store.answers import WorkerFigures, decode_worker, sum_figures
from headrace.answers import decode_history, decode_item
from headrace.errors import UnreadableAnswer
from headrace.item_fields import ENTRY_FIELDS


def item_values(**said: bytes) -> list[bytes | None]:
    return [said.get(name) for name in ENTRY_FIELDS]


def test_an_item_keeps_its_unicode_and_its_price() -> None:
    entry = decode_item("i", item_values(title="Wasserkocher für Tee 茶".encode(), price=b"19.90", currency=b"EUR"))
    assert (entry.title, entry.price, entry.currency, entry.brand) == ("Wasserkocher für Tee 茶", 19.9, "EUR", None)


@pytest.mark.parametrize("said", [{"price": b"cheap"}, {"title": b"\xff\xfe"}])
def test_an_item_that_headrace_did_not_write_is_unreadable(said: dict[str, bytes]) -> None:
    with pytest.raises(UnreadableAnswer):
        decode_item("i", item_values(**said))


def test_a_profile_is_read_and_a_missing_one_is_none() -> None:
    history = decode_history("u", b'[["a", 12.5, "view"]]', b'{"view": 1.0, "at": 12.5}')
    assert history is not None
    assert [(row.item_id, row.ts, row.kind) for row in history.recent] == [("a", 12.5, "view")]
    assert history.counts == {"view": 1.0}
    assert decode_history("u", None, None) is None


@pytest.mark.parametrize("recent", [b"7", b"[1]", b'[["a"]]', b"nonsense"])
def test_a_profile_that_headrace_did_not_write_is_unreadable(recent: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        decode_history("u", recent, b"{}")


def test_a_workers_unknown_figures_are_ignored_and_missing_ones_are_defaults() -> None:
    worker = decode_worker(b'{"worker_id": "w", "ts": 5, "accepted": 7, "invented_later": 1}')
    assert worker == WorkerFigures("w", 5, accepted=7)
    for raw in (b"[]", b"{}", b"x"):
        with pytest.raises(UnreadableAnswer):
            decode_worker(raw)


def test_no_workers_add_up_to_nothing() -> None:
    nothing = sum_figures([])
    assert (nothing.accepted, nothing.freshness_p50, nothing.lag, nothing.workers) == (0, None, None, ())

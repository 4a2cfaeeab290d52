"""How long a worker's event loop stands still in work that grows: `docs/scale.md` has the figures.

A generated catalogue with a vector for each item and generated users. Then a batch of events of
many users is decided, at once and in the steps of a worker, and some items are withdrawn: their
records are followed, and the lists that hold them are corrected. A task that wakes as often as it
can tells how long others waited. Kafka and Redis are left out: nothing is stored.

    python scripts/loop_stalls.py [--items 1000000] [--users 2000] [--lists 10000]
        [--withdrawn 50000] [--dimension 384] [--json]
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from agents.catalogue import FollowCatalogue
from agents.metrics import Metrics
from agents.ports import Erased, WriteOutcome
from agents.refresh import Refresh
from agents.turns import take_turns
from models.bounded import parts
from models.contract.event_codec import EventSettings
from models.contract.events import Item, Kind, RawBatch
from models.core.warm_up import warm_up
from models.duplicates import DuplicateFilter
from models.processor import (
    Followed,
    ListMaker,
    admit,
    decide,
    decide_in_steps,
    follow,
)
from models.profile import Profile, Seen
from models.recommender import LearningBatch, Recommender, RecommenderSettings
from models.shown import Shown
from models.users.gather import NO_SESSION
from models.users.stored import StoredFields
from models.users.writes import ListWrites, UserWrites

NOW = 1.76e9
CATEGORIES = 200
VECTORS_AT_ONCE = 10_000
USERS_AT_ONCE = 500
FOLLOWED_AT_ONCE = 1000  # as `app.kafka.replicas` does
ITEMS_OF_A_USER = 3


@dataclass
class Nowhere:
    """A store of users and an outbox that keep nothing, and count lists."""

    written: int = 0

    async def load(self, user_ids: Sequence[str]) -> list[StoredFields]:
        """Nobody is stored."""
        await asyncio.sleep(0)
        return [{} for _ in user_ids]

    async def write(self, writes: UserWrites) -> list[WriteOutcome]:
        """Keep nothing."""
        return [WriteOutcome.DONE for _ in writes.user_ids]

    async def correct(self, writes: ListWrites) -> list[WriteOutcome]:
        """Keep nothing."""
        await asyncio.sleep(0)
        self.written += len(writes.user_ids)
        return [WriteOutcome.DONE for _ in writes.user_ids]

    async def forget(self, user_ids: Sequence[str]) -> list[Erased]:
        """Nobody is stored."""
        return [Erased(0, 0) for _ in user_ids]

    async def recommendations(self, partition: int, lists: Mapping[str, bytes | None]) -> None:
        """Keep nothing."""


@dataclass
class Shop:
    """The generated catalogue, and a recommender that learned it."""

    items: list[str]
    recommender: Recommender
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))

    def chosen(self, users: int) -> NDArray[np.int64]:
        """Some items for each user, shape (users, ITEMS_OF_A_USER)."""
        return self.random.integers(0, len(self.items), (users, ITEMS_OF_A_USER))


def main() -> int:
    """Measure, and print a row for each kind of work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", metavar="N", type=int, default=1_000_000, help="items of the catalogue")
    parser.add_argument("--users", metavar="N", type=int, default=2_000, help="users of the batch")
    parser.add_argument("--lists", metavar="N", type=int, default=10_000, help="users who have a list")
    parser.add_argument("--withdrawn", metavar="N", type=int, default=50_000, help="items that are withdrawn")
    parser.add_argument("--dimension", metavar="N", type=int, default=384, help="of a vector; 0 for no vectors")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    args = parser.parse_args()
    shop = make_shop(args.items, args.dimension)
    for row in (*asyncio.run(batch_of(shop, args.users)), *asyncio.run(withdrawal(shop, args.lists, args.withdrawn))):
        text = orjson.dumps(row).decode() if args.json else "  ".join(f"{name} {value}" for name, value in row.items())
        sys.stdout.write(text + "\n")
    return 0


def make_shop(items: int, dimension: int) -> Shop:
    """A catalogue with two events an item, four a session, and vectors by chance."""
    warm_up(RecommenderSettings(), EventSettings())
    shop = Shop([f"item-{number:07d}" for number in range(items)], Recommender(RecommenderSettings()))
    for number, item_id in enumerate(shop.items):
        shop.recommender.catalogue.upsert(Item(item_id, "a title", category=f"c{number % CATEGORIES}"))
    shop.recommender.catalogue_changed()
    events = 2 * items
    columns = shop.random.integers(0, items, events).astype(np.int32), shop.random.integers(1, 1 + events // 4, events)
    ages = shop.random.random(events) * 8e5
    shop.recommender.learn(
        LearningBatch(columns[0], columns[1].astype(np.uint64), NOW - ages, np.zeros(events, np.int32))
    )
    for part in parts(items, VECTORS_AT_ONCE) if dimension else ():
        ids = shop.items[part]
        shop.recommender.set_vectors("generated", ids, shop.random.standard_normal((len(ids), dimension), np.float32))
    return shop


async def batch_of(shop: Shop, users: int) -> list[dict[str, Any]]:
    """Decide a batch of one event a user: at once, as a whole step of a program, and in turns."""
    maker = ListMaker.of(shop.recommender, users)
    decide([_followed(shop, maker, "views", users)], maker, NOW)
    followed = _followed(shop, maker, "clicks", users)

    async def at_once() -> None:
        decide([followed], maker, NOW)

    async def in_turns() -> None:
        await take_turns(decide_in_steps([followed], maker, NOW))

    return [
        await _watched("a batch, at once", {"users": users}, at_once()),
        await _watched("a batch, in turns", {"users": users}, in_turns()),
    ]


def _followed(shop: Shop, maker: ListMaker, topic: str, users: int) -> Followed:
    values = [
        orjson.dumps({"event_id": f"{topic}-{user}", "user_id": f"u{user}", "item_id": shop.items[item], "ts": NOW})
        for user, item in enumerate(shop.chosen(users)[:, 0].tolist())
    ]
    columns = np.arange(users), np.full(users, NOW)
    batch = RawBatch(topic, 0, *columns, [None] * users, list[bytes | None](values))
    settings = EventSettings()
    seen = DuplicateFilter(settings.duplicate_window_seconds, settings.duplicate_memory)
    admitted = admit(batch, Kind.VIEW, seen, settings)
    slots = maker.table.find(admitted.users)
    missing = [user for user, slot in zip(admitted.users, slots.tolist(), strict=True) if slot < 0]
    slots[slots < 0] = maker.table.add(dict.fromkeys(missing))
    return follow(admitted, maker.table, slots)


async def withdrawal(shop: Shop, lists: int, withdrawn: int) -> list[dict[str, Any]]:
    """Withdraw items all over the catalogue: follow their records, then correct lists."""
    maker, shown, nowhere = ListMaker.of(shop.recommender, lists), Shown(20, lists), Nowhere()
    _show_lists(shop, maker, shown, lists)
    refresh = Refresh(
        maker=maker,
        shown=shown,
        users=nowhere,
        outbox=nowhere,  # type: ignore[arg-type]  # it is asked for lists alone
        metrics=Metrics(CollectorRegistry()),
        clock=lambda: NOW,
        write_lock=asyncio.Lock(),
        emit_lock=asyncio.Lock(),
    )
    following = FollowCatalogue(EventSettings(), shop.recommender, refresh.gone.put_nowait)
    gone = shop.items[:: max(1, len(shop.items) // withdrawn)][:withdrawn]
    batch = _notices(gone)

    async def followed() -> None:
        for part in parts(len(batch), FOLLOWED_AT_ONCE):
            following.handle(batch.only(part))
            await asyncio.sleep(0)

    size = {"items": len(gone)}
    rows = [await _watched("withdrawals, followed", size, followed())]
    held = len(shown.holders_of(shop.recommender.items.numbers(gone)))
    rows.append(await _watched("lists, corrected", size | {"lists": held}, refresh.handle(set(gone))))
    if nowhere.written != held or shown.holders_of(shop.recommender.items.numbers(gone)):
        raise SystemExit(f"{nowhere.written} lists were corrected, not {held}")
    return rows


def _show_lists(shop: Shop, maker: ListMaker, shown: Shown, lists: int) -> None:
    for users in parts(lists, USERS_AT_ONCE):
        ids = [f"u{user}" for user in range(users.start, users.stop)]
        rows = shop.chosen(len(ids)).tolist()
        seen = [
            tuple(Seen(NOW - place, int(Kind.VIEW), shop.items[item]) for place, item in enumerate(r)) for r in rows
        ]
        maker.table.find(ids)
        slots = maker.table.add({user: Profile(recent=recent) for user, recent in zip(ids, seen, strict=True)})
        asked = maker.request(slots, np.full(len(ids), NO_SESSION, np.uint64))
        shown.put(ids, 0, asked.sessions, shop.recommender.recommend(asked).items)


@dataclass(frozen=True, slots=True)
class _Notices:
    """Records of `items` that say that each item is not available."""

    values: list[bytes | None]

    def __len__(self) -> int:
        return len(self.values)

    def only(self, part: slice) -> RawBatch:
        values = self.values[part]
        return RawBatch(
            "items", 0, np.arange(part.start, part.stop), np.full(len(values), NOW), [None] * len(values), values
        )


def _notices(items: Sequence[str]) -> _Notices:
    return _Notices([orjson.dumps({"item_id": item, "title": "a title", "available": False}) for item in items])


async def _watched(work: str, size: Mapping[str, int], running: Awaitable[None]) -> dict[str, Any]:
    task = asyncio.ensure_future(running)
    began, processor = perf_counter(), process_time()
    last, longest, turns = began, 0.0, 0
    while not task.done():
        await asyncio.sleep(0)
        now = perf_counter()
        longest, last, turns = max(longest, now - last), now, turns + 1
    task.result()
    return {
        "work": work,
        **size,
        "seconds": round(perf_counter() - began, 3),
        "processor_seconds": round(process_time() - processor, 3),
        "turns_of_others": turns,
        "longest_stall_milliseconds": round(1000 * longest, 1),
    }


if __name__ == "__main__":
    sys.exit(main())

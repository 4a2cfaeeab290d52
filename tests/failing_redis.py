"""A load of views for tests in which a Redis server fails, and what must be stored afterwards."""

import time

import orjson
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings, RedisSettings
from app.store.lookup import Lookups
from headrace import Headrace

USERS, EVENTS_A_USER = [f"u{number}" for number in range(400)], 50
KILLED_AFTER = 4_000  # events
RECENT = 30
NOW = time.time()
EVENTS = [(user, f"i{row}", NOW - 1_000 + row) for row in range(EVENTS_A_USER) for user in USERS]


async def view(kafka: KafkaSettings, events: list[tuple[str, str, float]]) -> None:
    """Send views: user, item and time of each."""
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=5) as producer:
        for user, item_id, ts in events:
            event = {"event_id": f"{user}-{item_id}", "user_id": user, "item_id": item_id, "ts": ts}
            await producer.send(f"{kafka.topic_prefix}views", orjson.dumps(event), key=user.encode())


async def assert_nothing_lost(settings: RedisSettings, struck: str) -> None:
    """Fail unless every user's profile has all events, and every user a list; `struck` viewed one
    item more, now.
    """
    lookups = Lookups.connect(settings, recall_seconds=0)
    try:
        for user in USERS:
            last = [f"i{row}" for row in range(EVENTS_A_USER)] + ["last"] * (user == struck)
            found = await lookups.profile(user)
            assert found is not None, user
            assert [each.item_id for each in found.recent] == last[: -RECENT - 1 : -1], user
            assert round(found.counts["view"]) == len(last), user
        assert (await lookups.recommendations(struck, 5)).stored.event_ts == NOW
    finally:
        await lookups.close()
    with Headrace(settings.url, prefix=settings.prefix) as headrace:
        assert headrace.recommendations_of(USERS, k=5).keys() == set(USERS)

"""The order of an erasure: the workers first, then the topics, then a search."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import uuid4

from agents.forget import add_up
from app.concerns import KafkaSettings, RedisSettings
from app.forgetting.receipt import ErasedUser, Receipt, TopicState
from app.kafka.admin import describe_topics
from app.kafka.erasure import READ_ONCE, remove_read, rewrite_quarantine, search_topic
from app.kafka.forget_requests import send_requests
from app.kafka.topics import OF_USERS, create_topics
from app.store.connection import connect
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.receipts import count_keys, read_receipts
from models.contract.forgetting import ForgetRequest

POLL_SECONDS = 0.2
INTERACTIONS, QUARANTINE, RECOMMENDATIONS = "interactions", "quarantine", "recommendations"


@dataclass(frozen=True, slots=True)
class Order:
    """Whom to forget, and how far to go."""

    user_ids: Sequence[str]
    purge: bool = False
    search: bool = True
    wait_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Erase:
    """One erasure. Every step raises HeadraceError when Kafka or Redis do not answer."""

    kafka: KafkaSettings
    redis: RedisSettings
    order: Order
    clock: Callable[[], float]
    tell: Callable[[str], None]

    async def run(self) -> Receipt:
        """Erase, and say what was erased."""
        counts = await create_topics(self.kafka)
        partitions = counts[f"{self.kafka.topic_prefix}forget"]
        receipt = Receipt(self.clock(), partitions, self.order.purge)
        connected = connect(self.redis)
        try:
            answers = await self._ask_workers(connected, partitions)
            await self._erase_topics(receipt, answers)
            for user, answer in zip(self.order.user_ids, answers, strict=True):
                left = await count_keys(connected, Keys(self.redis.prefix), user)
                receipt.users.append(ErasedUser(user, len(answer), add_up(answer), left))
        finally:
            await connected.aclose()
        return receipt

    async def _ask_workers(self, redis: PackedRedis, partitions: int) -> list[dict[int, dict[str, int]]]:
        """What the owner of each partition erased, for each user."""
        requests = [ForgetRequest(user, uuid4().hex, rewrite=self.order.purge) for user in self.order.user_ids]
        keys, request_ids = Keys(self.redis.prefix), [each.request_id for each in requests]
        deadline = monotonic() + self.order.wait_seconds
        # The answers can be read before the request is sent: Redis is there.
        answers = await read_receipts(redis, keys, request_ids)
        await send_requests(self.kafka, requests, partitions)
        while any(len(answer) < partitions for answer in answers) and monotonic() < deadline:
            answered = sum(map(len, answers))
            self.tell(f"waiting for the workers: {answered:,} of {partitions * len(requests):,} answers")
            await asyncio.sleep(POLL_SECONDS)
            answers = await read_receipts(redis, keys, request_ids)
        return answers

    async def _erase_topics(self, receipt: Receipt, answers: Sequence[Mapping[int, Mapping[str, int]]]) -> None:
        states = {name: TopicState(name) for name in OF_USERS}
        quarantine = states[QUARANTINE]
        dropped, quarantine.refused = await rewrite_quarantine(
            self.kafka, self.order.user_ids, self._progress(QUARANTINE)
        )
        quarantine.erased = f"{dropped:,} records dropped" if dropped else ""
        if self.order.purge:
            rewritten = sum(add_up(answer)["rewritten"] for answer in answers)
            if rewritten == receipt.partitions * len(answers):
                states[INTERACTIONS].erased = "rewritten without the users"
            else:
                states[INTERACTIONS].refused = "the workers' logs say why"
            self.tell("removing events and lists that were read")
            reason = await remove_read(self.kafka, (*READ_ONCE, RECOMMENDATIONS))
            for name in (*READ_ONCE, RECOMMENDATIONS):
                states[name].erased, states[name].refused = ("" if reason else "what was read is removed"), reason
        if self.order.search:
            await self._search(states)
        receipt.topics = list(states.values())

    async def _search(self, states: Mapping[str, TopicState]) -> None:
        configs = (await describe_topics(self.kafka)).configs
        for name, state in states.items():
            found = await search_topic(self.kafka, name, self.order.user_ids, self._progress(name))
            state.left, state.newest = found.records, found.newest
            kept = float(configs.get(name, {}).get("retention.ms", -1)) / 1000
            is_removed = "delete" in configs.get(name, {}).get("cleanup.policy", "delete")
            state.gone_by = found.newest + kept if found.records and kept > 0 and is_removed else None

    def _progress(self, name: str) -> Callable[[float], None]:
        return lambda share: self.tell(f"{name}: {share:4.0%} read")

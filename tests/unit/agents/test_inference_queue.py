"""Handle requests of many tasks in common batches: joined, cached, held back, and never lost."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from time import monotonic

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.inference_queue import InferenceQueue
from models.inference.settings import InferenceSettings
from models.inference.vector_cache import MemoryCache

DEADLINE_SECONDS = 10.0


@dataclass
class CountingEncoder:
    """Makes a vector of a text's length and its first character.

    It remembers its batches, and waits until `open` is set.
    """

    batches: list[list[int]] = field(default_factory=list)
    open: Event = field(default_factory=Event)
    error: Exception | None = None
    dimension: int = 2

    def tokenise(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        return [np.array([len(text), ord((text or " ")[0])]) for text in texts]

    def infer(self, tokens: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        assert self.open.wait(DEADLINE_SECONDS)
        self.batches.append([int(each[0]) for each in tokens])
        if self.error:
            raise self.error
        return np.array(tokens, np.float32)


@dataclass
class Figures:
    """Keeps what the observer receives in lists."""

    queue: list[float] = field(default_factory=list)
    tokenise: list[float] = field(default_factory=list)
    infer: list[float] = field(default_factory=list)
    batches: list[tuple[int, int]] = field(default_factory=list)

    def queued(self, seconds: float) -> None:
        self.queue.append(seconds)

    def tokenised(self, seconds: float) -> None:
        self.tokenise.append(seconds)

    def inferred(self, seconds: float) -> None:
        self.infer.append(seconds)

    def served(self, texts: int, cached: int) -> None:
        self.batches.append((texts, cached))


@dataclass
class Stage:
    """An InferenceQueue that is not started yet, with all that it works with."""

    settings: InferenceSettings
    encoder: CountingEncoder = field(default_factory=CountingEncoder)
    cache: MemoryCache = field(default_factory=lambda: MemoryCache(100))
    figures: Figures = field(default_factory=Figures)

    def inference(self) -> InferenceQueue:
        return InferenceQueue(self.encoder, "m", self.cache, self.settings, self.figures, monotonic)


def stage(opened: bool = True, **settings: float) -> Stage:
    found = Stage(InferenceSettings(**{"latency_budget_seconds": 0.05, **settings}))  # type: ignore[arg-type]  # numbers
    if opened:
        found.encoder.open.set()
    return found


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0)


async def test_each_request_gets_its_own_vectors_in_its_order() -> None:
    async with stage().inference() as inference:
        one, other = await asyncio.gather(inference.vectors(["aa", "b"]), inference.vectors(["ccc", "aa"]))
    assert one.tolist() == [[2, ord("a")], [1, ord("b")]]
    assert other.tolist() == [[3, ord("c")], [2, ord("a")]]


async def test_requests_within_the_latency_budget_share_a_batch() -> None:
    set_up = stage(latency_budget_seconds=5.0, batch_texts=3)
    async with set_up.inference() as inference:
        await asyncio.gather(*(inference.vectors([text]) for text in ("a", "bb", "ccc")))
    assert [sorted(batch) for batch in set_up.encoder.batches] == [[1, 2, 3]]


async def test_without_a_budget_a_lone_request_goes_at_once() -> None:
    set_up = stage(latency_budget_seconds=0.0)
    async with set_up.inference() as inference:
        await inference.vectors(["a"])
        await inference.vectors(["bb"])
    assert set_up.encoder.batches == [[1], [2]]


async def test_what_arrived_during_a_run_goes_together_next() -> None:
    set_up = stage(opened=False, latency_budget_seconds=0.0)
    async with set_up.inference() as inference:
        first = asyncio.create_task(inference.vectors(["a"]))
        await until(lambda: len(set_up.figures.queue) == 1)
        later = [asyncio.create_task(inference.vectors(["b" * length])) for length in (2, 3, 4)]
        await asyncio.sleep(0)
        set_up.encoder.open.set()
        await asyncio.gather(first, *later)
    assert set_up.encoder.batches == [[1], [2, 3, 4]]


async def test_a_text_seen_before_costs_no_inference() -> None:
    set_up = stage()
    async with set_up.inference() as inference:
        before = await inference.vectors(["aa", "b"])
        again = await inference.vectors(["b", "aa", "b"])
    assert set_up.encoder.batches == [[2, 1]]
    assert again.tolist() == before[[1, 0, 1]].tolist()
    assert set_up.figures.batches == [(2, 0), (2, 2)]
    assert len(set_up.figures.infer) == 1


async def test_the_same_text_of_two_senders_is_computed_once() -> None:
    set_up = stage(latency_budget_seconds=5.0, batch_texts=2)
    async with set_up.inference() as inference:
        await asyncio.gather(inference.vectors(["aa"]), inference.vectors(["aa"]))
    assert set_up.encoder.batches == [[2]]


async def test_a_request_larger_than_a_batch_is_cut_and_joined_again() -> None:
    set_up = stage(batch_texts=4, queue_requests=1)
    texts = ["x" * length for length in range(1, 12)]
    async with set_up.inference() as inference:
        found = await inference.vectors(texts)
    assert found[:, 0].tolist() == list(range(1, 12))
    assert max(map(len, set_up.encoder.batches)) <= 4


async def test_a_full_queue_holds_senders_back_and_loses_nothing() -> None:
    set_up = stage(opened=False, batch_texts=1, queue_requests=2)
    async with set_up.inference() as inference:
        tasks = [asyncio.create_task(inference.vectors(["x" * length])) for length in range(1, 9)]
        await until(lambda: len(set_up.figures.queue) == 1)
        for _ in range(50):
            await asyncio.sleep(0)
        assert inference.waiting == 2
        assert not any(task.done() for task in tasks)
        set_up.encoder.open.set()
        found = [await task for task in tasks]
    assert [vectors[0, 0] for vectors in found] == list(range(1, 9))


async def test_an_error_of_the_model_reaches_only_the_senders_of_that_batch() -> None:
    set_up = stage()
    set_up.encoder.error = RuntimeError("out of memory")
    async with set_up.inference() as inference:
        with pytest.raises(RuntimeError, match="out of memory"):
            await inference.vectors(["a"])
        set_up.encoder.error = None
        assert (await inference.vectors(["a"])).shape == (1, 2)


async def test_a_sender_that_gives_up_does_not_stop_the_others() -> None:
    set_up = stage(opened=False, batch_texts=1)
    async with set_up.inference() as inference:
        first = asyncio.create_task(inference.vectors(["a"]))
        await until(lambda: len(set_up.figures.queue) == 1)
        gone, stays = (asyncio.create_task(inference.vectors([text])) for text in ("bb", "ccc"))
        await asyncio.sleep(0)
        first.cancel()
        gone.cancel()
        set_up.encoder.open.set()
        assert (await stays).tolist() == [[3, ord("c")]]
    assert set_up.encoder.batches == [[1], [3]]


async def test_closing_ends_those_who_wait() -> None:
    set_up = stage(opened=False, batch_texts=1, queue_requests=1)
    async with set_up.inference() as inference:
        tasks = [asyncio.create_task(inference.vectors(["x" * length])) for length in range(1, 6)]
        await until(lambda: len(set_up.figures.queue) == 1)
        asyncio.get_running_loop().call_later(0.05, set_up.encoder.open.set)
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(ended[0], np.ndarray)
    assert [type(each) for each in ended[1:]] == [asyncio.CancelledError] * 4
    with pytest.raises(asyncio.CancelledError):
        await inference.vectors(["late"])


async def test_no_texts_give_no_vectors() -> None:
    async with stage().inference() as inference:
        assert (await inference.vectors([])).shape == (0, 2)


async def test_the_parts_of_the_time_are_measured_apart() -> None:
    set_up = stage()
    async with set_up.inference() as inference:
        await inference.vectors(["a", "bb"])
    figures = set_up.figures
    assert [len(times) for times in (figures.queue, figures.tokenise, figures.infer)] == [1, 1, 1]
    assert min(*figures.queue, *figures.tokenise, *figures.infer) >= 0

"""Turn texts of many senders into vectors in common batches, off the event loop.

A full queue holds senders back. Nothing is dropped: a request waits for room, then for its batch,
and ends with its vectors or with the error of the model that made them.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from agents.ports import Clock
from models.inference.settings import InferenceSettings
from models.inference.vector_cache import Vector, VectorCache, vector_key

Floats = NDArray[np.float32]
Tokens = NDArray[np.int64]


class TextEncoder(Protocol):
    """Turns texts into vectors, as `Encoder` of `models.inference.encoder` does.

    It is called by one thread at a time.
    """

    dimension: int

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        """Return each text's tokens."""

    def infer(self, tokens: Sequence[Tokens]) -> Floats:
        """Return the vectors of tokenised texts, shape (n, dim)."""


class InferenceObserver(Protocol):
    """Receives what each batch took, in seconds, on the event loop."""

    def queued(self, seconds: float) -> None:
        """Receive the seconds that a request waited for its batch."""

    def tokenised(self, seconds: float) -> None:
        """Receive the seconds that the tokenizer took for a batch's new texts."""

    def inferred(self, seconds: float) -> None:
        """Receive the seconds that the model took for a batch's new texts."""

    def served(self, texts: int, cached: int) -> None:
        """Receive the number of a batch's distinct texts, and of those that the cache had."""


@dataclass(frozen=True, slots=True)
class _Request:
    texts: Sequence[str]
    since: float
    vectors: asyncio.Future[Floats]


@dataclass(frozen=True, slots=True)
class _Done:
    vectors: dict[str, Vector]
    cached: int
    tokenise_seconds: float
    infer_seconds: float


class InferenceQueue:
    """Turns texts of many tasks into vectors.

    Use it as `async with InferenceQueue(…) as inference`. `model` is the artefact's key: the cache
    keeps vectors of different models apart.
    """

    def __init__(
        self,
        encoder: TextEncoder,
        model: str,
        cache: VectorCache,
        settings: InferenceSettings,
        observer: InferenceObserver,
        clock: Clock,
    ) -> None:
        self._encoder, self._model, self._cache = encoder, model, cache
        self._settings, self._observer, self._clock = settings, observer, clock
        self._queue: asyncio.Queue[_Request | None] = asyncio.Queue(settings.queue_requests)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inference")
        self._worker: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()
        self._closing = False
        self._sending = 0

    async def __aenter__(self) -> Self:
        self._worker = asyncio.create_task(self._work(), name="inference")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        await self._queue.put(None)
        self._arrived.set()
        if self._worker is not None:
            await self._worker
        await asyncio.to_thread(self._thread.shutdown)
        # A sender that waited for room may have added its request behind the closing mark.
        while self._sending or not self._queue.empty():
            while not self._queue.empty():
                if request := self._queue.get_nowait():
                    request.vectors.cancel()
            await asyncio.sleep(0)

    @property
    def waiting(self) -> int:
        """Return the number of requests in the queue."""
        return self._queue.qsize()

    async def vectors(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of the texts, shape (n, dim); waits while the queue is full.

        Raises what the model raised if it failed. Raises CancelledError if this object is closed
        before the texts are encoded.
        """
        size = self._settings.batch_texts
        parts = [await self._put(texts[start : start + size]) for start in range(0, len(texts), size)]
        found = await asyncio.gather(*parts)
        return np.concatenate(found) if found else np.empty((0, self._encoder.dimension), np.float32)

    async def _put(self, texts: Sequence[str]) -> asyncio.Future[Floats]:
        if self._closing:
            raise asyncio.CancelledError
        request = _Request(texts, self._clock(), asyncio.get_running_loop().create_future())
        self._sending += 1
        try:
            await self._queue.put(request)
        finally:
            self._sending -= 1
        self._arrived.set()
        return request.vectors

    async def _work(self) -> None:
        while (first := await self._queue.get()) is not None:
            batch = await self._collect(first)
            await self._serve([each for each in batch if not each.vectors.done()])

    async def _collect(self, first: _Request) -> list[_Request]:
        """Collect the oldest request and those that join it until its time or the batch's room is
        used up.
        """
        batch = [first]
        room = self._settings.batch_texts - len(first.texts)
        leave_at = first.since + self._settings.latency_budget_seconds
        while room > 0 and not self._closing:
            # A request that waits already joins even when the time is used up.
            if self._queue.empty() and not await self._arrives(leave_at - self._clock()):
                break
            request = self._queue.get_nowait()
            if request is None:
                self._queue.put_nowait(None)
                break
            batch.append(request)
            room -= len(request.texts)
        return batch

    async def _arrives(self, seconds: float) -> bool:
        """Return whether a request arrives within the time; it stays in the queue."""
        if seconds <= 0:
            return False
        self._arrived.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._arrived.wait(), seconds)
        return not self._queue.empty()

    async def _serve(self, batch: Sequence[_Request]) -> None:
        if self._closing:
            for request in batch:
                request.vectors.cancel()
            return
        started = self._clock()
        for request in batch:
            self._observer.queued(max(0.0, started - request.since))
        texts = list(dict.fromkeys(text for request in batch for text in request.texts))
        try:
            done = await asyncio.get_running_loop().run_in_executor(self._thread, self._encode, texts)
        except Exception as error:  # an error of model or cache goes to the senders
            _fail(batch, error)
            return
        self._observer.served(len(texts), done.cached)
        if done.cached < len(texts):
            self._observer.tokenised(done.tokenise_seconds)
            self._observer.inferred(done.infer_seconds)
        for request in batch:
            if not request.vectors.done():
                request.vectors.set_result(np.stack([done.vectors[text] for text in request.texts]))

    def _encode(self, texts: Sequence[str]) -> _Done:
        keys = [vector_key(self._model, text) for text in texts]
        known = self._cache.get_many(keys)
        vectors = {text: vector for text, vector in zip(texts, known, strict=True) if vector is not None}
        new = [row for row, vector in enumerate(known) if vector is None]
        if not new:
            return _Done(vectors, len(texts), 0.0, 0.0)
        started = self._clock()
        tokens = self._encoder.tokenise([texts[row] for row in new])
        tokenised = self._clock()
        found = self._encoder.infer(tokens)
        inferred = self._clock()
        self._cache.put_many([keys[row] for row in new], list(found))
        vectors.update({texts[row]: vector for row, vector in zip(new, found, strict=True)})
        return _Done(vectors, len(texts) - len(new), tokenised - started, inferred - tokenised)


def _fail(batch: Sequence[_Request], error: Exception) -> None:
    for request in batch:
        if not request.vectors.done():
            request.vectors.set_exception(error)

"""Stores the vectors of all items in a Redis vector set, for look-ups by meaning and by attributes.

A write names the mark of what it supersedes, and is refused where another one came between. The
vectors of a new model are collected in a separate set, which replaces the old set once it is
complete. A set that was begun and abandoned is deleted once the models in use have assessed every
item.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex

import numpy as np
import orjson
from numpy.typing import NDArray
from redis.exceptions import ResponseError

from app.store.assessment_scripts import LACKING, MARK, MOVED, PUT, REFUSED, REMOVE, TAKE_OVER
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis

# A vector of shape (dim,), and attributes for `FILTER`.
Entry = tuple[NDArray[np.float32], Mapping[str, object]]
REVISION_BYTES = 8

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class VectorSet:
    """Item ids with vectors and JSON attributes, all of one model."""

    redis: PackedRedis
    keys: Keys
    model: str
    _supported: bool | None = None
    _tidy: bool = False

    async def marks(self, item_ids: Sequence[str]) -> dict[str, bytes]:
        """Return what a write of these items now supersedes, for `put`.

        Call it before the items are read: then a write in between is not taken back.
        """
        if not item_ids or not await self._is_supported():
            return {}
        return await self._marks(await self._target(), item_ids)

    async def put(self, entries: Mapping[str, Entry], changed: Collection[str], marks: Mapping[str, bytes]) -> set[str]:
        """Store the vectors of the changed items, and the attributes of all items in `entries`.

        An item that the set lacks is added. Returns the items that were written, or whose set was
        replaced, since the `marks` were read: they are as they were.
        """
        if not entries or not await self._is_supported():
            return set()
        target = await self._target()
        if target != self.keys.vectors():
            await execute(self.redis, [("SADD", self.keys.vector_models(), self.model)])
        refused: set[str] = set()
        whole, waiting = set(changed), list(entries)
        while waiting:
            calls = [self._call(target, each, entries[each], marks[each], whole=each in whole) for each in waiting]
            replies = list(zip(waiting, await PUT.run(self.redis, calls), strict=True))
            refused.update(item_id for item_id, reply in replies if reply in (REFUSED, MOVED))
            waiting = [item_id for item_id, reply in replies if reply == LACKING]
            whole.update(waiting)
        return refused

    async def remove(self, item_ids: Sequence[str], still: Callable[[Sequence[str]], Awaitable[Sequence[str]]]) -> None:
        """Remove items from every set that holds them. `still` tells which of them have to go, and
        is asked again where another write came between.
        """
        if not await self._is_supported():
            return
        while item_ids:
            places = (self.keys.vectors(), *map(self.keys.vectors, await self._models()))
            found = [(place, await self._marks(place, item_ids)) for place in places]
            item_ids = await still(item_ids)
            rows = [(place, each, marks[each]) for place, marks in found for each in item_ids]
            removed = self.keys.removed_vectors()
            calls = [REMOVE.call(place, removed, item_id, mark) for place, item_id, mark in rows]
            replies = await REMOVE.run(self.redis, calls)
            item_ids = [item_id for (_, item_id, _), reply in zip(rows, replies, strict=True) if reply == REFUSED]

    async def complete(self) -> None:
        """Put this model's set in the place of the other model's.

        Call it once all items have vectors.
        """
        if not await self._is_supported():
            return
        if await self._target() != self.keys.vectors():
            await self._take_over()
        # only once: later, a set may belong to workers that are about to take over
        if not self._tidy:
            for model in await self._models():
                await execute(self.redis, [("UNLINK", self.keys.vectors(model))])
                await execute(self.redis, [("SREM", self.keys.vector_models(), model)])
            self._tidy = True

    async def _models(self) -> list[str]:
        """Return the models that have their own sets."""
        [models] = await execute(self.redis, [("SMEMBERS", self.keys.vector_models())])
        return [model.decode() for model in models]

    async def _take_over(self) -> None:
        whole, shown = self.keys.vectors(self.model), self.keys.vectors()
        [before] = await execute(self.redis, [("GET", self.keys.vectors_model())])
        call = TAKE_OVER.call(whole, shown, self.keys.vectors_model(), before or b"", self.model)
        if (await TAKE_OVER.run(self.redis, [call]))[0]:
            logger.info("look-ups find items by the vectors of %s from now on", self.model)

    async def _marks(self, place: str, item_ids: Sequence[str]) -> dict[str, bytes]:
        calls = [MARK.call(place, self.keys.removed_vectors(), item_id) for item_id in item_ids]
        return dict(zip(item_ids, await MARK.run(self.redis, calls), strict=True))

    def _call(self, target: str, item_id: str, entry: Entry, mark: bytes, *, whole: bool) -> Command:
        vector, attributes = entry
        return PUT.call(
            target,
            self.keys.removed_vectors(),
            self.keys.vectors_model(),
            item_id,
            mark,
            int(target == self.keys.vectors()),
            self.model,
            orjson.dumps({"revision": token_hex(REVISION_BYTES), **attributes}),
            vector.astype("<f4").tobytes() if whole else b"",
        )

    async def _target(self) -> str:
        """Return the set that takes this model's vectors.

        It is the set that look-ups read, unless that one has another model's vectors.
        """
        [shown] = await execute(self.redis, [("SET", self.keys.vectors_model(), self.model, "NX", "GET")])
        return self.keys.vectors() if shown is None or shown.decode() == self.model else self.keys.vectors(self.model)

    async def _is_supported(self) -> bool:
        if self._supported is None:
            try:
                await execute(self.redis, [("VCARD", self.keys.vectors())])
                self._supported = True
            except ResponseError as error:
                if "unknown command" not in str(error):
                    raise
                self._supported = False
                logger.warning("this Redis has no vector sets (Redis 8 has): look-ups cannot filter items by meaning")
        return self._supported

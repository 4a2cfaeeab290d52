"""Stores the vectors of all items in a Redis vector set, for look-ups by meaning and by attributes.

The vectors of a new model are collected in a separate set, which replaces the old set once it is
complete. A set that was begun and abandoned is deleted once the models in use have assessed every
item.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from redis.exceptions import ResponseError

from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis

Entry = tuple[NDArray[np.float32], bytes]

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class VectorSet:
    """Item ids with vectors and JSON attributes, all of one model."""

    redis: PackedRedis
    keys: Keys
    model: str
    _supported: bool | None = None
    _tidy: bool = False

    async def put(self, entries: Mapping[str, Entry], changed: Collection[str]) -> None:
        """Store the vectors of the changed items, and the attributes of all items in `entries`.

        An item that the set lacks is added.
        """
        if not entries or not await self._is_supported():
            return
        while True:
            target = await self._target()
            if target != self.keys.vectors():
                await execute(self.redis, [("SADD", self.keys.vector_models(), self.model)])
            await self._put(target, entries, changed)
            if await self._target() == target:
                return
            # Meanwhile the set was complete and replaced the old one, so these vectors went into a
            # new key.
            await execute(self.redis, [("UNLINK", target)])

    async def remove(self, item_ids: Sequence[str]) -> None:
        """Remove items from every set that holds them."""
        if await self._is_supported():
            places = (self.keys.vectors(), *map(self.keys.vectors, await self._models()))
            await execute(self.redis, [("VREM", place, item_id) for item_id in item_ids for place in places])

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
        [exists] = await execute(self.redis, [("EXISTS", whole)])
        # With an empty catalogue there is no set to rename.
        change: Command = ("RENAME", whole, shown) if exists else ("UNLINK", shown)
        named: Command = ("SET", self.keys.vectors_model(), self.model)
        *_, done = await execute(self.redis, [("MULTI",), change, named, ("EXEC",)])
        for reply in done:
            if isinstance(reply, Exception):
                raise reply
        logger.info("look-ups find items by the vectors of %s from now on", self.model)

    async def _put(self, target: str, entries: Mapping[str, Entry], changed: Collection[str]) -> None:
        same = [item_id for item_id in entries if item_id not in changed]
        replies = await execute(self.redis, [("VSETATTR", target, item_id, entries[item_id][1]) for item_id in same])
        missing = [item_id for item_id, reply in zip(same, replies, strict=True) if not reply]
        commands: list[Command] = []
        for item_id in (*(each for each in entries if each in changed), *missing):
            vector, attributes = entries[item_id]
            blob = vector.astype("<f4").tobytes()
            # Without CAS: Redis 8.2 does not start again from an append-only file that has it.
            commands.append(("VADD", target, "FP32", blob, item_id, "Q8", "SETATTR", attributes))
        await execute(self.redis, commands)

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

"""Reads some items of the catalogue with their vectors, for the console's map."""

from collections import Counter
from dataclasses import dataclass

from app.store.catalogue_pages import CatalogueChoice, read_catalogue
from app.store.clustered import START
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from headrace.answers import CatalogueEntry

MAP_ITEMS = 500


@dataclass(frozen=True, slots=True)
class Located:
    """Items with a vector of one model each. `left_out` have none, or one of another model."""

    entries: list[CatalogueEntry]
    vectors: list[bytes]
    left_out: int


async def read_located(redis: PackedRedis, keys: Keys) -> Located:
    """Return the first items of the catalogue, in Redis' own order, which is as good as chance.

    Raises RedisError, OSError and UnreadableAnswer.
    """
    page = await read_catalogue(redis, keys, CatalogueChoice(), START, MAP_ITEMS)
    entries = list({each.item_id: each for each in page.entries}.values())[:MAP_ITEMS]
    commands: list[Command] = [("HMGET", keys.item(each.item_id), "vector", "vector_model") for each in entries]
    rows = await execute(redis, commands) if commands else []
    kinds = Counter((model, len(vector)) for vector, model in rows if vector)
    [(wanted, _)] = kinds.most_common(1) or [((b"", 0), 0)]
    found = [
        (entry, vector)
        for entry, (vector, model) in zip(entries, rows, strict=True)
        if vector and (model, len(vector)) == wanted
    ]
    return Located([entry for entry, _ in found], [vector for _, vector in found], len(entries) - len(found))

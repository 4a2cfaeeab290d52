"""Keep vectors by text and model, and no more of them than there is room for."""

import numpy as np
import pytest

from models.inference.vector_cache import MemoryCache, vector_key


def vector(number: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array([number], np.float32)


def kept(cache: MemoryCache, *keys: bytes) -> list[float | None]:
    return [None if found is None else float(found[0]) for found in cache.get_many(keys)]


def test_what_was_put_is_found_and_what_was_not_is_none() -> None:
    cache = MemoryCache(10)
    cache.put_many([b"a", b"b"], [vector(1), vector(2)])
    assert kept(cache, b"b", b"x", b"a") == [2, None, 1]


def test_the_one_unused_for_longest_makes_room() -> None:
    cache = MemoryCache(2)
    cache.put_many([b"a", b"b"], [vector(1), vector(2)])
    cache.get_many([b"a"])
    cache.put_many([b"c"], [vector(3)])
    assert kept(cache, b"a", b"b", b"c") == [1, None, 3]
    assert len(cache) == 2


def test_a_vector_does_not_keep_its_batch_in_memory() -> None:
    batch = np.ones((100, 4), np.float32)
    cache = MemoryCache(2)
    cache.put_many([b"a"], [batch[3]])
    found = cache.get_many([b"a"])[0]
    assert found is not None
    assert found.base is None
    batch[3] = 9
    assert found.tolist() == [1, 1, 1, 1]


def test_a_cache_without_room_keeps_nothing() -> None:
    cache = MemoryCache(0)
    cache.put_many([b"a"], [vector(1)])
    assert kept(cache, b"a") == [None]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("m", "a"), ("m", "b")),
        (("m", "a"), ("n", "a")),
        (("m", "a"), ("m", "a ")),
        (("m1", "a"), ("m", "1a")),
        (("m", ""), ("m", "\0")),
        (("m", "\ud800"), ("m", "?")),
    ],
)
def test_different_texts_or_models_have_different_keys(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert vector_key(*one) != vector_key(*other)
    assert vector_key(*one) == vector_key(*one)
    assert len(vector_key(*one)) == 16

"""The user vector in the fields of a profile's Redis hash."""

from dataclasses import replace

import numpy as np

from app.store.profile_hash import FIELDS, decode, encode
from models.contract.events import Kind
from models.profile import Profile, Seen

SEEN = Profile(recent=(Seen(5.0, int(Kind.VIEW), "a"),), counts=(1.0, 0.0, 0.0), counted_at=5.0)


def test_a_vector_is_stored_as_it_is_and_comes_back() -> None:
    vector = np.array([0.6, -0.8], "<f2").tobytes()
    profile = replace(SEEN, vector=vector, vector_model="minilm")
    fields = encode(profile)
    assert fields["vector"] == vector
    assert decode([fields[name] for name in FIELDS]) == profile


def test_a_user_without_a_vector_takes_no_more_room_than_before() -> None:
    fields = encode(SEEN)
    assert not {"vector", "vector_model"} & fields.keys()
    assert decode([fields.get(name) for name in FIELDS]) == SEEN


def test_a_vector_that_is_no_more_is_overwritten() -> None:
    assert encode(replace(SEEN, vector_model="minilm"))["vector"] == b""

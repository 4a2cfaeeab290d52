"""Which node of a cluster gets which command."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis._parsers.base import BaseParser
from redis.exceptions import MovedError

from app.store.keys import Keys, user_of
from headrace.slots import MOST_REDIRECTIONS, Address, Command, SlotMap, converse, key_of, slot_of

A, B, C = ("a", 1), ("b", 2), ("c", 3)


def error(text: str) -> Exception:
    found: Exception = BaseParser.parse_error(text)  # type: ignore[no-untyped-call]  # redis-py has no types here
    return found


def known(**owners: Address) -> SlotMap:
    """A map that knows who owns these keys."""
    return SlotMap([A, B, C], {slot_of(key): node for key, node in owners.items()})


def test_slots_are_those_of_the_specification() -> None:
    assert slot_of("123456789") == 0x31C3  # the specification's own example
    assert slot_of("{user1000}.following") == slot_of("{user1000}.followers") == slot_of("user1000")
    assert slot_of("foo{}{bar}") != slot_of("bar")
    assert slot_of("foo{{bar}}zap") == slot_of("{bar")
    assert slot_of("foo{bar}{zap}") == slot_of("bar")


@given(st.text(min_size=1))
def test_profile_and_list_of_a_user_are_in_one_slot_whatever_the_id(user_id: str) -> None:
    keys = Keys("hr:")
    profile, ranked = keys.profile(user_id), keys.recommendation(user_id)
    assert slot_of(profile.encode(errors="replace")) == slot_of(ranked.encode(errors="replace"))


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_keys_lead_back_to_their_users_and_no_two_users_share_one(user_id: str) -> None:
    keys = Keys("hr:")
    assert user_of(keys, keys.profile(user_id).encode()) == user_id
    assert user_of(keys, keys.recommendation(user_id).encode()) == user_id


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("GET", "k"), "k"),
        (("EVALSHA", "sha", 2, "k", "l", "x"), "k"),
        (("EVAL", "return 1", 0), None),
        (("PING",), None),
        (("SCAN", 0, "COUNT", 1), None),
        (("HSET", b"k", "f", "v"), b"k"),
    ],
)
def test_the_first_key_decides(command: Command, key: str | bytes | None) -> None:
    assert key_of(command) == key


def held(commands: list[Command], slots: SlotMap, *rounds: Mapping[Address, list[Any]]) -> tuple[list[Any], list[Any]]:
    """Let the nodes answer round by round. Returns what was asked in each, and the replies."""
    conversation = converse(commands, slots)
    asked = [next(conversation)]
    for answers in rounds:
        try:
            asked.append(conversation.send(answers))
        except StopIteration as done:
            return asked, done.value
    raise AssertionError(f"not done after {asked}")


def test_each_node_is_asked_for_what_it_owns_and_replies_keep_their_order() -> None:
    asked, replies = held([("GET", "x"), ("GET", "y"), ("GET", "x")], known(x=A, y=B), {A: [1, 3], B: [2]})
    assert asked == [{A: [("GET", "x"), ("GET", "x")], B: [("GET", "y")]}]
    assert replies == [1, 2, 3]


def test_what_moved_is_asked_again_there_and_only_that() -> None:
    slots = known(x=A, y=A)
    moved = error(f"MOVED {slot_of('y')} c:3")
    asked, replies = held([("GET", "x"), ("GET", "y")], slots, {A: [1, moved]}, {C: [2]})
    assert asked[1] == {C: [("GET", "y")]}
    assert replies == [1, 2]
    assert slots.owner(slot_of("y")) == C


def test_a_node_without_a_name_is_the_one_that_answered() -> None:
    moved = error(f"MOVED {slot_of('x')} :7")
    asked, _ = held([("GET", "x")], known(x=B), {B: [moved]}, {("b", 7): [1]})
    assert asked[1] == {("b", 7): [("GET", "x")]}


def test_a_slot_that_is_moving_is_asked_for_once_elsewhere() -> None:
    slots = known(x=A)
    asked, replies = held([("GET", "x")], slots, {A: [error(f"ASK {slot_of('x')} b:2")]}, {B: [b"OK", 1]})
    assert asked[1] == {B: [("ASKING",), ("GET", "x")]}
    assert replies == [1]
    assert slots.owner(slot_of("x")) == A


def test_a_transaction_goes_to_one_node_whole_also_again() -> None:
    commands: list[Command] = [("GET", "y"), ("MULTI",), ("DEL", "x"), ("EXEC",)]
    moved = [b"OK", error(f"MOVED {slot_of('x')} b:2"), error("EXECABORT Transaction discarded")]
    asked, replies = held(commands, known(x=A, y=C), {C: [1], A: moved}, {B: [b"OK", b"QUEUED", [1]]})
    assert asked[0] == {C: [("GET", "y")], A: commands[1:]}
    assert asked[1] == {B: commands[1:]}
    assert replies == [1, b"OK", b"QUEUED", [1]]


def test_a_cluster_that_never_settles_ends_with_its_last_word() -> None:
    moved = error(f"MOVED {slot_of('x')} a:1")
    asked, replies = held([("GET", "x")], known(x=A), *[{A: [moved]}] * MOST_REDIRECTIONS)
    assert len(asked) == MOST_REDIRECTIONS
    assert isinstance(replies[0], MovedError)


def test_slots_are_learned_and_the_first_addresses_stay_as_a_last_resort() -> None:
    slots = SlotMap([("seed", 1)])
    row = [0, 99, [b"p", 5, b"id", []], [b"r", 6, b"id", []]]
    assert slots.learn([row, [100, 199, [b"", 7, b"id", []]]], ("seed", 1))
    assert (slots.owner(50), slots.owner(150)) == (("p", 5), ("seed", 7))
    assert slots.replicated == {("p", 5)}
    assert slots.nodes == [("p", 5), ("seed", 7), ("r", 6), ("seed", 1)]
    assert slots.primaries() == [("p", 5), ("seed", 7)]
    slots.avoid(("p", 5))
    assert slots.owner(None) == ("seed", 7)
    assert not slots.learn([], ("p", 5))

"""What look-ups remember, and for how long: every question is asked with a clock of the test's
own.
"""

from typing import Any

import orjson
import pytest

from app.store.keys import Keys
from headrace import questions, recall
from headrace.conversations import Command, Question
from headrace.lists import KNOWN_FIELDS, KnownItem
from headrace.recall import Recall

KEYS = Keys("hr:")
LIST = orjson.dumps(
    {
        "user_id": "u",
        "items": [{"item_id": name, "score": 1.0, "source": "neighbours"} for name in ("kettle", "cup")],
        "event_ts": 1.0,
        "generated_at": 2.0,
        "model": "vmis-knn",
    }
)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Redis:
    """Answers the commands of a question, and counts the round trips and the items asked for."""

    def __init__(self) -> None:
        self.lists: dict[str, bytes] = {"u": LIST}
        self.available = b"1"
        self.round_trips = 0
        self.asked_items: list[str] = []
        self.asked_trending = 0

    def answer(self, question: Question[Any]) -> Any:
        try:
            commands = next(question)
            while True:
                self.round_trips += 1
                commands = question.send([self._reply(command) for command in commands])
        except StopIteration as done:
            return done.value

    def _reply(self, command: Command) -> Any:
        match command:
            case ("GET", str(key)):
                return self.lists.get(key.removeprefix("hr:rec:{").removesuffix("}"))
            case ("HMGET", str(key), "recent"):
                return [None]
            case ("HMGET", str(key), *fields):
                self.asked_items.append(key.removeprefix("hr:item:{").removesuffix("}"))
                stored = {"title": b"Title", "available": self.available}
                return [stored.get(str(name)) for name in fields]
            case ("ZREVRANGE", *_):
                self.asked_trending += 1
                return [b"bestseller", b"5.0"]
        raise AssertionError(command)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def redis() -> Redis:
    return Redis()


def ids(redis: Redis, remembered: Recall, user_id: str = "u") -> list[str]:
    found = redis.answer(questions.ask_recommendations(KEYS, remembered, user_id, 20))
    return [row["item_id"] for row in found.rows]


def test_items_are_asked_for_once_and_the_list_every_time(clock: Clock, redis: Redis) -> None:
    remembered = Recall(1.0, clock)
    assert [ids(redis, remembered) for _ in range(3)] == [["kettle", "cup"]] * 3
    assert redis.asked_items == ["kettle", "cup"]
    assert redis.round_trips == 2 + 1 + 1
    assert redis.asked_trending == 0


def test_an_item_that_sold_out_is_gone_when_the_time_is_over(clock: Clock, redis: Redis) -> None:
    remembered = Recall(1.0, clock)
    ids(redis, remembered)
    redis.available = b"0"
    clock.now += 0.999
    assert ids(redis, remembered) == ["kettle", "cup"]
    clock.now += 0.001
    assert ids(redis, remembered) == []


def test_nothing_is_remembered_for_no_time(clock: Clock, redis: Redis) -> None:
    remembered = Recall(0.0, clock)
    assert ids(redis, remembered) == ["kettle", "cup"]
    redis.available = b"0"
    assert ids(redis, remembered) == []
    assert redis.asked_trending == 1


def test_the_time_counts_from_the_question_and_not_from_its_answer(clock: Clock, redis: Redis) -> None:
    remembered = Recall(1.0, clock)
    question = questions.ask_recommendations(KEYS, remembered, "u", 20)
    next(question)
    question.send([None, LIST])
    clock.now += 1.0  # Redis took long
    with pytest.raises(StopIteration):
        question.send([[None] * len(KNOWN_FIELDS)] * 2)
    ids(redis, remembered)
    assert redis.asked_items == ["kettle", "cup"]


def test_trending_is_remembered_for_users_without_a_list(clock: Clock, redis: Redis) -> None:
    remembered = Recall(1.0, clock)
    assert [ids(redis, remembered, name) for name in ("nobody", "no one")] == [["bestseller"]] * 2
    assert redis.asked_trending == 1
    clock.now += 1.0
    ids(redis, remembered, "nobody")
    assert redis.asked_trending == 2


def test_an_item_named_twice_is_asked_for_once(clock: Clock) -> None:
    assert Recall(1.0, clock).items(["a", "b", "a"]) == ({}, ["a", "b"])


def test_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "CAPACITY", 3)
    remembered, item = Recall(1.0, clock), KnownItem({}, shown=True, known=True)
    remembered.keep_items(dict.fromkeys("abc", item), clock())
    remembered.keep_items({"d": item}, clock())
    assert remembered.items("abcd") == ({"d": item}, ["a", "b", "c"])

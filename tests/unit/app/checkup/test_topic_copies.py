"""What the doctor says of topics that one broker alone holds, or that too many must acknowledge."""

import pytest

from app.checkup.doctor import Finding, Status
from app.checkup.topic_copies import check_copies
from app.kafka.admin import ExistingTopics


def topics(brokers: int = 3, **copies_and_insync: tuple[int, int]) -> ExistingTopics:
    return ExistingTopics(
        dict.fromkeys(copies_and_insync, 6),
        {name: copies for name, (copies, _) in copies_and_insync.items()},
        {name: {"min.insync.replicas": str(insync)} for name, (_, insync) in copies_and_insync.items()},
        brokers,
    )


def only(found: ExistingTopics) -> Finding:
    [finding] = check_copies(found)
    return finding


def test_three_copies_of_which_two_acknowledge_are_fine() -> None:
    finding = only(topics(views=(3, 2), clicks=(4, 2)))
    assert (finding.status, finding.detail) == (Status.OK, "at least 3 brokers hold each topic")


@pytest.mark.parametrize(
    ("copies", "insync", "words", "advice"),
    [
        (1, 1, "one broker alone holds views", "HEADRACE_KAFKA_REPLICATION=3"),
        (1, 2, "one broker alone holds views", "HEADRACE_KAFKA_REPLICATION=3"),
        (3, 3, "views can take no record while one of their brokers is away", "one less"),
        (2, 3, "views can take no record while one of their brokers is away", "one less"),
        (3, 1, "record of views may be on one broker alone", "min.insync.replicas=2"),
    ],
)
def test_a_topic_that_a_lost_broker_would_harm_is_named(copies: int, insync: int, words: str, advice: str) -> None:
    finding = only(topics(views=(copies, insync), clicks=(3, 2)))
    assert finding.status is Status.WARNING
    assert words in finding.detail
    assert advice in finding.advice


def test_what_holds_for_all_topics_is_said_once() -> None:
    assert only(topics(views=(1, 1), clicks=(1, 1))).detail.startswith("one broker alone holds all topics")


def test_settings_that_kafka_does_not_tell_are_not_judged() -> None:
    found = ExistingTopics({"views": 1}, {"views": 3}, {"views": {}}, 3)
    assert only(found).status is Status.OK


@pytest.mark.parametrize("found", [topics(brokers=1, views=(1, 1)), topics()])
def test_one_broker_alone_and_no_topics_are_nothing_to_compare(found: ExistingTopics) -> None:
    assert list(check_copies(found)) == []

"""Partitions that a topic got while a worker runs."""

import logging
from pathlib import Path

import pytest
from faust.types import TP

from app.concerns import KafkaSettings
from app.kafka.added_partitions import warn_of_added_partitions, with_more
from app.kafka.faust_app import FaustOptions, build_faust_app

COUNTS = {"views": 4, "clicks": 4}


def test_a_partition_that_was_not_there_is_noticed() -> None:
    assert with_more([("views", 3), ("clicks", 4), ("clicks", 5)], COUNTS) == ["clicks"]
    assert with_more([("views", 0), ("another topic", 9)], COUNTS) == []


async def test_it_is_logged_once_an_assignment(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = build_faust_app(KafkaSettings(), FaustOptions(tmp_path, ["views"]))
    warn_of_added_partitions(app, COUNTS)
    with caplog.at_level(logging.WARNING):
        await app.on_partitions_assigned.send({TP("views", 1)})
        assert caplog.text == ""
        await app.on_partitions_assigned.send({TP("views", 1), TP("views", 4), TP("views", 5)})
    assert caplog.text.count("views got more partitions") == 1

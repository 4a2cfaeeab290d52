"""`headrace quarantine` and its HTTP endpoints, on a real broker."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types
from prometheus_client import CollectorRegistry
from quarantining import USER, file_row, free_order, hasty_view, quarantine
from shops import Http, client_of

from app.concerns import KafkaSettings, RedisSettings
from app.main import main
from models.contract.outcome import Reason


@pytest.fixture
async def filled(kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> KafkaSettings:
    """Two orders at the price 0, the first twice as after a crash, a view, and a row of a file."""
    await quarantine(kafka, [free_order(kafka, 1), hasty_view(kafka, 5), file_row()])
    await quarantine(kafka, [free_order(kafka, 1), free_order(kafka, 2, user="b" * 80)])
    monkeypatch.setenv("HEADRACE_KAFKA_BOOTSTRAP", kafka.bootstrap)
    monkeypatch.setenv("HEADRACE_KAFKA_TOPIC_PREFIX", kafka.topic_prefix)
    monkeypatch.setenv("HEADRACE_KAFKA_GROUP", kafka.group)
    return kafka


@pytest.fixture
async def client(
    filled: KafkaSettings, redis_settings: RedisSettings, registry: CollectorRegistry
) -> AsyncIterator[Http]:
    async with client_of(redis_settings, registry, filled) as http:
        yield http


async def answer(http: Http, path: str) -> dict[str, Any]:
    response = await http.get(path)
    assert response.status == 200, await response.text()
    found: dict[str, Any] = await response.json()
    body = await (await http.get("/openapi.json")).json()
    [content] = body["paths"][path.partition("?")[0]]["get"]["responses"]["200"]["content"].values()
    Draft202012Validator({**content["schema"], "components": body["components"]}).validate(found)
    return found


async def test_each_record_is_listed_once_and_without_ids_of_users(client: Http) -> None:
    found = await answer(client, "/quarantine")
    assert (found["total"], found["is_whole"]) == (4, True)
    assert sorted((each["topic"], each["offset"]) for each in found["records"]) == [
        ("log.csv", 9), ("orders", 1), ("orders", 2), ("views", 5),
    ]  # fmt: skip
    assert USER not in json.dumps(found)
    order = next(each for each in found["records"] if each["offset"] == 1)
    assert (order["field"], order["field_value"], order["state"]) == ("price", 0, "waiting")
    assert json.loads(order["value"])["user_id"] == order["key"]
    assert order["key"].startswith("user-")


async def test_records_are_chosen_by_reason_topic_and_time(client: Http) -> None:
    async def total(query: str) -> int:
        found = await answer(client, f"/quarantine?{query}")
        assert len(found["records"]) == found["total"]
        return int(found["total"])

    assert await total("reason=zero_price&topic=orders") == 2
    assert await total("topic=orders&topic=views") == 3
    assert await total("reason=from_the_future&reason=invalid_value") == 2
    assert await total("since=4000000000") == 0
    assert await total("until=1000000000") == 0


async def test_the_newest_come_first_and_no_more_than_were_asked_for(client: Http) -> None:
    found = await answer(client, "/quarantine?k=2")
    assert (len(found["records"]), found["total"]) == (2, 4)
    times = [each["time"] for each in (await answer(client, "/quarantine"))["records"]]
    assert times == sorted(times, reverse=True)


async def test_counts_are_by_reason_topic_state_and_hour(client: Http) -> None:
    found = await answer(client, "/quarantine/stats")
    assert found["reasons"] == {"zero_price": 2, "from_the_future": 1, "invalid_value": 1}
    assert found["topics"] == {"orders": 2, "views": 1, "log.csv": 1}
    assert found["states"] == {"waiting": 4, "replayed": 0, "in_doubt": 0}
    assert sum(each["count"] for each in found["hours"]) == 4
    assert found["oldest"] <= found["newest"]


@pytest.mark.parametrize("query", ["reason=nonsense", "since=yesterday", "k=0"])
async def test_a_wrong_choice_is_told(client: Http, query: str) -> None:
    assert (await client.get(f"/quarantine?{query}")).status == 400


async def test_without_kafka_the_other_look_ups_answer(
    redis_settings: RedisSettings, registry: CollectorRegistry
) -> None:
    async with client_of(redis_settings, registry, KafkaSettings(bootstrap="127.0.0.1:1")) as http:
        refused = await http.get("/quarantine")
        assert refused.status == 503
        assert "HEADRACE_KAFKA_BOOTSTRAP" in (await refused.json(content_type=None))["detail"]
        assert (await http.get("/readyz")).status == 200


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["quarantine", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_an_unknown_reason_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["quarantine", "list", "--reason", "bogus"])
    told = capsys.readouterr().err
    assert "'bogus' is no reason; there is null_value, too_large" in told
    assert "Reason." not in told


def test_help_names_every_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["quarantine", "list", "--help"])
    told = capsys.readouterr().out
    assert [each for each in Reason if each not in told] == []


@pytest.mark.usefixtures("filled")
class TestCommand:
    """Each test starts the event loop of the command itself."""

    def test_a_listed_record_is_shown_with_its_field(self, capsys: pytest.CaptureFixture[str]) -> None:
        listed = told(capsys, "list", "--topic", "views")
        [view] = listed["records"]
        shown = told(capsys, "show", view["id"])
        assert (shown["reason"], shown["field"]) == ("from_the_future", "ts")
        assert shown["field_value"] == 1_760_000_000
        assert USER not in json.dumps([listed, shown])

    def test_ids_and_rows_of_files_are_shown_on_request(self, capsys: pytest.CaptureFixture[str]) -> None:
        [row] = told(capsys, "list", "--topic", "log.csv")["records"]
        assert (row["value"], row["bytes"]) == (None, 21)
        assert told(capsys, "show", row["id"], "--show-ids")["value"] == f"x,{USER},y"

    def test_people_read_lines(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["quarantine", "stats", "--since", "1h"]) == 0
        assert "2 zero_price in orders" in capsys.readouterr().out
        assert main(["quarantine", "list", "--reason", "from_the_future"]) == 0
        out = capsys.readouterr().out
        assert "views 2:5  from_the_future: ts" in out
        assert "1 of 1 shown" in out

    def test_a_cut_value_ends_with_an_ellipsis(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["quarantine", "list", "--topic", "orders", "--show-ids"]) == 0
        out = capsys.readouterr().out
        assert f'    {{"event_id":"o2","user_id":"{"b" * 72}…\n' in out
        assert '"ts":1760000000,"price":0}\n' in out

    def test_an_unknown_id_says_where_ids_are(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["quarantine", "show", "0000"]) == 1
        assert "`headrace quarantine list` shows ids" in capsys.readouterr().err

    def test_records_are_sent_again_after_a_look_at_what_that_would_be(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert told(capsys, "replay", "--topic", "views", "--dry-run")["sent"] == 1
        sent = told(capsys, "replay")
        assert (sent["sent"], sent["still_refused"], sent["not_from_a_topic"]) == (1, {"zero_price": 2}, 1)
        assert main(["quarantine", "replay"]) == 0
        out = capsys.readouterr().out
        assert "0 records sent again" in out
        assert "1 were sent before" in out
        assert told(capsys, "stats")["states"]["replayed"] == 1

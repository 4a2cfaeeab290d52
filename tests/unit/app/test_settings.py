"""Settings come from the environment. Every mistake names the variable and the allowed values."""

import re
from dataclasses import fields

import pytest

from app.concerns import KafkaSettings
from app.settings import InvalidSetting, Settings, load, variables


def test_without_variables_every_setting_has_its_default() -> None:
    assert load({}) == Settings()


def test_variables_of_others_are_passed_over() -> None:
    assert load({"PATH": "/bin", "KAFKA_BOOTSTRAP": "x", "HEADRACEX_KAFKA_GROUP": "x"}) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("KAFKA_BOOTSTRAP", "a:9092,b:9092", "a:9092,b:9092"),
        ("KAFKA_BOOTSTRAP", "kafka-0.kafka:9092, 10.0.0.7", "kafka-0.kafka:9092, 10.0.0.7"),
        ("KAFKA_BOOTSTRAP", "[::1]:9092", "[::1]:9092"),
        ("KAFKA_PARTITIONS", "12", 12),
        ("KAFKA_SESSION_TIMEOUT_SECONDS", "6", 6.0),
        ("REDIS_EXPIRE_DAYS", "1e-3", 0.001),
        ("SERVE_ACCEPT_EVENTS", "true", True),
        ("SERVE_ACCEPT_EVENTS", "ON", True),
        ("SERVE_ACCEPT_EVENTS", "0", False),
        ("SERVE_ACCEPT_EVENTS", "No", False),
        ("LOG_LEVEL", "debug", "debug"),
        ("PROFILE_VIEW_WEIGHT", "0", 0.0),
        ("NEIGHBOURS_LAST_ITEMS", "3", 3),
        ("WORKER_PORT", "0", 0),
        ("WORKER_PORT", "65535", 65_535),
    ],
)
def test_a_variable_is_read_as_the_type_of_its_setting(name: str, text: str, value: object) -> None:
    concern, _, field = name.lower().partition("_")
    settings = load({f"HEADRACE_{name}": text})
    found = getattr(getattr(settings, concern), field)
    assert found == value
    assert type(found) is type(value)


def test_a_variable_changes_its_own_setting_only() -> None:
    assert load({"HEADRACE_KAFKA_GROUP": "shop"}) == Settings(kafka=KafkaSettings(group="shop"))


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("HEADRACE_KAFKA_BOOTSTRAP", "", "host:port, several separated by commas"),
        (
            "HEADRACE_KAFKA_BOOTSTRAP",
            "kafka://kafka:9092",
            "host:port, several separated by commas, without kafka:// in front",
        ),
        ("HEADRACE_KAFKA_BOOTSTRAP", "a:9092,", "host:port"),
        ("HEADRACE_KAFKA_BOOTSTRAP", "a:port", "host:port"),
        ("HEADRACE_KAFKA_PARTITIONS", "many", "an integer of at least 1 and at most 10000"),
        ("HEADRACE_KAFKA_PARTITIONS", "", "an integer of at least 1 and at most 10000"),
        ("HEADRACE_KAFKA_PARTITIONS", "1.5", "an integer of at least 1 and at most 10000"),
        ("HEADRACE_KAFKA_PARTITIONS", "0", "an integer of at least 1 and at most 10000"),
        ("HEADRACE_KAFKA_PARTITIONS", "10001", "an integer of at least 1 and at most 10000"),
        ("HEADRACE_WORKER_PROFILE_CACHE", "99", "an integer of at least 100"),
        ("HEADRACE_REDIS_TIMEOUT_SECONDS", "0", "a number of at least 0.01 and at most 600"),
        ("HEADRACE_REDIS_TIMEOUT_SECONDS", "nan", "a number of at least 0.01 and at most 600"),
        ("HEADRACE_PROFILE_VIEW_WEIGHT", "inf", "a number of at least 0"),
        ("HEADRACE_PROFILE_VIEW_WEIGHT", "-1", "a number of at least 0"),
        ("HEADRACE_REDIS_EXPIRE_DAYS", "inf", "a number of at least 0.001"),
        ("HEADRACE_SERVE_ACCEPT_EVENTS", "maybe", "one of 1, true, yes, on, 0, false, no, off"),
        ("HEADRACE_LOG_LEVEL", "chatty", "one of debug, info, warning, error"),
        ("HEADRACE_LOG_FORMAT", "JSON", "one of text, json"),
    ],
)
def test_a_mistake_names_the_variable_the_value_and_what_is_allowed(name: str, text: str, allowed: str) -> None:
    with pytest.raises(InvalidSetting, match=re.escape(f"{name}={text!r}: use {allowed}")):
        load({name: text})


def test_what_is_meant_for_tests_is_nobody_s_setting() -> None:
    assert load({"HEADRACE_TEST_DATA": "somewhere"}) == load({})


@pytest.mark.parametrize("name", ["HEADRACE_KAFKA_BOOTSTRAPS", "HEADRACE_", "HEADRACE_kafka_group"])
def test_a_misspelt_variable_is_named(name: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^{name} is not a setting"):
        load({name: "x", "HEADRACE_KAFKA_GROUP": "shop"})


def test_every_variable_has_a_help_text_and_a_default_that_it_accepts() -> None:
    every = list(variables())
    assert len(every) == len({variable.name for variable in every}) > 20
    assert all(variable.help for variable in every)
    assert load({variable.name: variable.default for variable in every}) == Settings()


def test_every_concern_has_variables() -> None:
    concerns = {variable.name.split("_")[1].lower() for variable in variables()}
    assert concerns == {concern.name for concern in fields(Settings)}

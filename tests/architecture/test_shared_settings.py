"""Every setting is decided upon: all workers of a group have to share it, or each has its own."""

from app.settings import load, variables
from app.worker.terms import OWN, SHARED, SHARED_CONCERNS, STRICT, is_shared, shared_settings

EACH_WORKERS_OWN = {
    "HEADRACE_KAFKA_AWS_REGION",
    "HEADRACE_KAFKA_BOOTSTRAP",
    "HEADRACE_KAFKA_COMPRESSION",
    "HEADRACE_KAFKA_SASL_MECHANISM",
    "HEADRACE_KAFKA_SASL_PASSWORD",
    "HEADRACE_KAFKA_SASL_TOKEN_COMMAND",
    "HEADRACE_KAFKA_SASL_TOKEN_FILE",
    "HEADRACE_KAFKA_SASL_USERNAME",
    "HEADRACE_KAFKA_SECURITY_PROTOCOL",
    "HEADRACE_KAFKA_TLS_CA_FILE",
    "HEADRACE_KAFKA_TLS_CERTIFICATE_FILE",
    "HEADRACE_KAFKA_TLS_KEY_FILE",
    "HEADRACE_KAFKA_TLS_KEY_PASSWORD",
    "HEADRACE_KAFKA_FETCH_MAX_RECORDS",
    "HEADRACE_KAFKA_MAX_MESSAGE_BYTES",
    "HEADRACE_KAFKA_PARTITIONS",
    "HEADRACE_KAFKA_REPLICATION",
    "HEADRACE_KAFKA_RETENTION_DAYS",  # of topics that a worker creates, as partitions and replicas
    "HEADRACE_KAFKA_SESSION_TIMEOUT_SECONDS",
    "HEADRACE_REDIS_PREFIX",  # workers with another one do not meet
    "HEADRACE_REDIS_TIMEOUT_SECONDS",
    "HEADRACE_REDIS_URL",
    *OWN,
}
CONCERNS_OF_ONE_PROCESS = {"worker", "serve", "model", "inference", "log", "trace", "embedded", "http", "rules"}


def test_every_setting_is_shared_or_each_workers_own() -> None:
    undecided = {
        each.name
        for each in variables()
        if not is_shared(each.name)
        and each.name not in EACH_WORKERS_OWN
        and each.name.split("_")[1].lower() not in CONCERNS_OF_ONE_PROCESS
    }
    assert undecided == set()


def test_no_setting_is_both() -> None:
    assert {name for name in EACH_WORKERS_OWN if is_shared(name)} == set()
    assert CONCERNS_OF_ONE_PROCESS.isdisjoint(SHARED_CONCERNS)


def test_what_is_named_exists() -> None:
    names = {each.name for each in variables()}
    assert {*SHARED, *STRICT, *EACH_WORKERS_OWN} <= names
    assert set(shared_settings(load({}))) == {name for name in names if is_shared(name)}

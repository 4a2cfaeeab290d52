"""Declares the settings of the outside world.

The settings of the mathematics are declared beside it, in `models/`.
"""

from dataclasses import dataclass
from pathlib import Path

from headrace.keys import DEFAULT_PREFIX
from headrace.recall import DEFAULT_RECALL_SECONDS
from models.contract.partitioner import MISPLACED, MOVE, MURMUR2, PARTITIONERS
from models.setting import setting

# The folder above the package `app`. In a checkout it holds `onnx/`; in an installation it does
# not.
CHECKOUT = Path(__file__).resolve().parents[1]
SHIPPED = Path(__file__).resolve().parent / "shipped"  # in a wheel; see setup.py
SHIPPED_NAME = "onnx"
REFUSE, WARN = "refuse", "warn"
_ADDRESS = r"\s*(\[[\da-fA-F:.]+\]|[^\s,:/\[\]]+)(:\d{1,5})?\s*"
BOOTSTRAP = (
    rf"{_ADDRESS}(,{_ADDRESS})*",
    "host:port, several separated by commas, without kafka:// in front; unset it for the default",
)

# 16 characters of the alphabet of RFC 6750: short tokens could be guessed.
_TOKEN = r"\s*[A-Za-z0-9._~+/-]{16,512}=*\s*"
TOKENS = (
    rf"({_TOKEN}(,{_TOKEN})*)?",
    "tokens of at least 16 letters, digits and -._~+/, separated by commas; `openssl rand -hex 32` makes one",
)


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """The address of Kafka, and how topics are named and created."""

    bootstrap: str = setting("localhost:9092", "Kafka bootstrap servers, host:port separated by commas", form=BOOTSTRAP)
    group: str = setting("headrace", "consumer group; workers of one group share the users")
    topic_prefix: str = setting("", "put before every topic name, to share a cluster")
    partitions: int = setting(8, "partitions of a topic that Headrace creates", low=1, high=10_000)
    retention_days: float = setting(
        0.0,
        "how long Kafka keeps what is about users, in topics that Headrace creates; 0: as the broker does",
        low=0,
        high=36_500,
    )
    replication: int = setting(1, "replicas of a topic that Headrace creates", low=1, high=10)
    partitioner: str = setting(
        MURMUR2,
        "how producers place a user's events: murmur2 (Kafka's own clients), crc32 (librdkafka's default), "
        "or trust: in some other way, and always alike",
        choices=PARTITIONERS,
    )
    misplaced: str = setting(
        MOVE,
        "what becomes of an event in another partition than its user's: move it there, or refuse it (quarantine)",
        choices=MISPLACED,
    )
    session_timeout_seconds: float = setting(
        10.0, "a silent worker's users move to the others after this long", low=1, high=3600
    )
    fetch_max_records: int = setting(2_000, "largest batch of events taken from one partition", low=1, high=100_000)
    max_message_bytes: int = setting(16_777_216, "largest Kafka message read or written", low=1_048_576)
    compression: str = setting(
        "none", "how what Headrace writes to Kafka is compressed", choices=("none", "gzip", "snappy", "lz4", "zstd")
    )
    security_protocol: str = setting(
        "PLAINTEXT",
        "how Kafka is spoken to: PLAINTEXT, SSL (over TLS), SASL_PLAINTEXT (with a login), SASL_SSL (both)",
        choices=("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
    )
    sasl_mechanism: str = setting(
        "SCRAM-SHA-512",
        "how Headrace logs in to Kafka, with SASL_PLAINTEXT or SASL_SSL",
        choices=("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"),
    )
    sasl_username: str = setting("", "user of PLAIN and SCRAM")
    sasl_password: str = setting("", "password of PLAIN and SCRAM", secret=True)
    sasl_token_file: str = setting("", "file with the token of OAUTHBEARER; it is read for each connection")
    sasl_token_command: str = setting(
        "",
        "command that prints a token for OAUTHBEARER; it runs without a shell, again before the token ends",
        secret=True,
    )
    aws_region: str = setting("", "region of Amazon MSK, for AWS_MSK_IAM; needs the extra msk")
    tls_ca_file: str = setting("", "certificates in PEM that sign Kafka's; empty: those that this machine trusts")
    tls_certificate_file: str = setting("", "certificate in PEM that Headrace shows to Kafka")
    tls_key_file: str = setting("", "its key in PEM, where it is not in the same file")
    tls_key_password: str = setting("", "password of that key, if it has one", secret=True)


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """The address of Redis, and how keys are named."""

    url: str = setting(
        "redis://localhost:6379/0",
        "Redis address: redis://, rediss://, unix:// or redis+sentinel://; user, password percent-encoded (%23 for #)",
        secret=True,
    )
    prefix: str = setting(DEFAULT_PREFIX, "put before every key, to share a server")
    timeout_seconds: float = setting(5.0, "how long one Redis call may take", low=0.01, high=600)
    expire_days: float = setting(30.0, "recommendations and profiles of users who stay away expire", low=0.001)


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The settings of one worker process."""

    host: str = setting("127.0.0.1", "address on which the worker answers probes and metrics")
    port: int = setting(
        6067, "port on which the worker answers probes and metrics; 0 takes a free one", low=0, high=65535
    )
    state_dir: str = setting("", "folder for snapshots that make a restart quick; empty keeps none")
    snapshot_seconds: float = setting(60.0, "pause between two snapshots", low=1)
    profile_cache: int = setting(50_000, "user profiles kept in memory; 0.5 to 2 kB each", low=100)
    on_difference: str = setting(
        REFUSE,
        "when earlier workers of the group have other settings or models: refuse to work, or warn and go on",
        choices=(REFUSE, WARN),
    )


# Scheme, host and port, without a path: as a content security policy names sources.
ORIGIN = r"https?://[A-Za-z0-9.-]+(:\d+)?"
ORIGINS = rf"({ORIGIN}( +{ORIGIN})*)?"


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """The settings of the look-up process."""

    host: str = setting("127.0.0.1", "address on which `headrace serve` listens")
    port: int = setting(6066, "port on which `headrace serve` listens; 0 takes a free one", low=0, high=65535)
    recall_seconds: float = setting(
        DEFAULT_RECALL_SECONDS,
        "how old what look-ups know of items and trending may be; lists are always read",
        low=0,
        high=60,
    )
    accept_events: bool = setting(False, "let the console page send clicks (POST /events/click); for trying out")
    pictures_from: str = setting(
        "",
        "origins from which the console shows pictures of items (image_url), separated by spaces; empty: it links them",
        form=(ORIGINS, "origins such as https://img.shop.example, separated by spaces"),
    )


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Who may ask the worker and the look-up process, and how often."""

    tokens: str = setting(
        "",
        "bearer tokens that open all of HTTP, separated by commas: the newest first; probes need none",
        secret=True,
        form=TOKENS,
    )
    metrics_tokens: str = setting("", "more bearer tokens, which open /metrics only", secret=True, form=TOKENS)
    allow_anyone: bool = setting(
        False, "listen on an address that other machines reach without any token; where something else guards the port"
    )
    requests_per_second: float = setting(
        2000.0, "requests a second from one client address, after a burst of as many; 0: no limit", low=0, high=1e6
    )


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The settings of the model artefacts."""

    dir: str = setting(SHIPPED_NAME, "folder of the model artefacts and their manifest.json; empty: no models")

    @property
    def folder(self) -> Path:
        """Return the folder of the artefacts.

        A relative path that does not exist in the working directory is taken from the checkout if
        there are models; the default is taken from the installed package where there is none.
        """
        named = Path(self.dir or "no models")
        if named.exists():
            return named
        places = (CHECKOUT / named, *([SHIPPED] if self.dir == SHIPPED_NAME else []))
        return next((place for place in places if (place / "manifest.json").is_file()), named)


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is logged on standard error."""

    level: str = setting("info", "lowest level that is logged", choices=("debug", "info", "warning", "error"))
    format: str = setting("text", "text for people, json for machines", choices=("text", "json"))
    pseudonym_key: str = setting(
        "",
        "key of the pseudonyms that stand for user ids in logs and reports; empty: each process takes its own",
        secret=True,
        form=(r"(.{16,})?", "at least 16 characters; `openssl rand -hex 32` makes them"),
    )


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Where a worker sends spans of the stages of its batches."""

    endpoint: str = setting(
        "",
        "where spans go, over OTLP and HTTP, such as http://collector:4318; empty: no spans; needs the extra tracing",
        form=(r"(https?://\S+)?", "an address that begins with http:// or https://"),
    )
    share: float = setting(0.1, "share of the batches whose spans are sent", low=0.0, high=1.0)


@dataclass(frozen=True, slots=True)
class EmbeddedSettings:
    """The settings of the servers that `headrace run` starts itself."""

    data_dir: str = setting("", "folder for downloads such as the sample log; empty uses ~/.cache/headrace")

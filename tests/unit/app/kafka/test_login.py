"""The arguments with which every Kafka client logs in; what cannot work is refused in words."""

import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from certificates import KEY_PASSWORD, Certificates, make_certificates
from faust.auth import OAuthCredentials, SASLCredentials, SSLCredentials

from app.concerns import KafkaSettings
from app.errors import UnusableSetting
from app.kafka.clients import compression_type, faust_credentials
from app.kafka.login import client_arguments, without_login, without_login_variables
from app.settings import load

SCRAM = KafkaSettings(security_protocol="SASL_SSL", sasl_username="shop", sasl_password="sesame-open")
TOKEN = KafkaSettings(security_protocol="SASL_SSL", sasl_mechanism="OAUTHBEARER", sasl_token_file="token")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def test_without_settings_anybody_is_let_in_and_nothing_is_encrypted() -> None:
    assert client_arguments(KafkaSettings()) == {
        "bootstrap_servers": "localhost:9092",
        "security_protocol": "PLAINTEXT",
    }
    assert faust_credentials(KafkaSettings()) is None


def test_a_login_over_tls_has_user_password_and_a_context_that_checks_the_host() -> None:
    arguments = client_arguments(SCRAM)
    context = arguments.pop("ssl_context")
    assert arguments == {
        "bootstrap_servers": "localhost:9092",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "shop",
        "sasl_plain_password": "sesame-open",
    }
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_only_the_named_authority_is_trusted(made: Certificates) -> None:
    context = client_arguments(replace(SCRAM, tls_ca_file=str(made.ca)))["ssl_context"]
    assert [dict(name[0] for name in each["subject"]) for each in context.get_ca_certs()] == [{"commonName": "ca"}]


def test_a_clients_certificate_needs_no_login_and_its_key_may_have_a_password(made: Certificates) -> None:
    settings = KafkaSettings(
        security_protocol="SSL",
        tls_certificate_file=str(made.client),
        tls_key_file=str(made.client_locked_key),
        tls_key_password=KEY_PASSWORD,
    )
    assert set(client_arguments(settings)) == {"bootstrap_servers", "security_protocol", "ssl_context"}
    with pytest.raises(UnusableSetting, match="HEADRACE_KAFKA_TLS_KEY_PASSWORD opens a key") as raised:
        client_arguments(replace(settings, tls_key_password="sesame-wrong"))
    assert "sesame" not in str(raised.value)
    with pytest.raises(UnusableSetting, match="HEADRACE_KAFKA_TLS_KEY_PASSWORD opens a key"):
        client_arguments(replace(settings, tls_key_password=""))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (replace(SCRAM, sasl_password=""), "needs HEADRACE_KAFKA_SASL_USERNAME and HEADRACE_KAFKA_SASL_PASSWORD"),
        (replace(SCRAM, sasl_username=""), "needs HEADRACE_KAFKA_SASL_USERNAME and HEADRACE_KAFKA_SASL_PASSWORD"),
        (replace(TOKEN, sasl_token_file=""), "one of HEADRACE_KAFKA_SASL_TOKEN_FILE and HEADRACE_KAFKA_SASL_TOKEN_COM"),
        (replace(TOKEN, sasl_token_command="echo"), "one of HEADRACE_KAFKA_SASL_TOKEN_FILE and"),
        (replace(SCRAM, security_protocol="PLAINTEXT"), "HEADRACE_KAFKA_SASL_USERNAME is set, but HEADRACE_KAFKA_SEC"),
        (replace(SCRAM, security_protocol="SSL"), "logs nobody in: set it to SASL_SSL"),
        (KafkaSettings(tls_ca_file="ca.pem"), "uses no TLS: set it to SSL or SASL_SSL"),
        (replace(SCRAM, tls_ca_file="/no/such.pem"), "HEADRACE_KAFKA_TLS_CA_FILE=/no/such.pem: /no/such.pem is not a"),
        (replace(SCRAM, tls_ca_file=__file__), "it takes certificates in PEM"),
        (replace(SCRAM, tls_key_file="key.pem"), "but not HEADRACE_KAFKA_TLS_CERTIFICATE_FILE"),
        (replace(SCRAM, tls_certificate_file="/no/such.pem"), "/no/such.pem is not a file"),
    ],
)
def test_what_cannot_work_is_refused_with_the_setting_and_without_the_password(
    settings: KafkaSettings, named: str
) -> None:
    with pytest.raises(UnusableSetting) as raised:
        client_arguments(settings)
    assert named in str(raised.value)
    assert "sesame" not in str(raised.value)


def test_faust_logs_in_as_all_others_do(made: Certificates) -> None:
    login = faust_credentials(SCRAM)
    assert isinstance(login, SASLCredentials)
    assert (login.username, login.password, login.protocol.value) == ("shop", "sesame-open", "SASL_SSL")
    assert login.mechanism.value == "SCRAM-SHA-512"
    plain = faust_credentials(replace(SCRAM, security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN"))
    assert isinstance(plain, SASLCredentials)
    assert (plain.mechanism.value, plain.protocol.value) == ("PLAIN", "SASL_PLAINTEXT")
    assert isinstance(faust_credentials(TOKEN), OAuthCredentials)
    certificate = KafkaSettings(security_protocol="SSL", tls_ca_file=str(made.ca))
    assert isinstance(faust_credentials(certificate), SSLCredentials)


def test_no_secret_is_shown_with_the_settings() -> None:
    secrets = {"HEADRACE_KAFKA_SASL_PASSWORD": "sesame-1", "HEADRACE_KAFKA_TLS_KEY_PASSWORD": "sesame-2"}
    settings = load(secrets | {"HEADRACE_KAFKA_SASL_TOKEN_COMMAND": "vault read sesame-3"})
    assert settings.kafka.sasl_password == "sesame-1"
    assert "sesame" not in repr(settings)


def test_embedded_servers_get_no_login() -> None:
    settings = replace(SCRAM, group="mine", tls_ca_file="ca.pem")
    assert without_login(settings) == KafkaSettings(group="mine")
    environ = {
        "HEADRACE_KAFKA_SASL_PASSWORD": "x",
        "HEADRACE_KAFKA_SECURITY_PROTOCOL": "SSL",
        "HEADRACE_KAFKA_GROUP": "g",
    }
    assert without_login_variables(environ | {"PATH": "/bin"}) == {"HEADRACE_KAFKA_GROUP": "g", "PATH": "/bin"}


def test_nothing_is_compressed_unless_the_settings_say_so() -> None:
    assert compression_type(KafkaSettings()) is None
    assert compression_type(KafkaSettings(compression="lz4")) == "lz4"


def test_clients_are_made_in_one_place_only() -> None:
    folder = Path(__file__).parents[4] / "app"
    makers = ("AIOKafkaConsumer(", "AIOKafkaProducer(", "AIOKafkaAdminClient(")
    found = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if any(each in path.read_text() for each in makers)
    }
    assert found == {"kafka/clients.py"}

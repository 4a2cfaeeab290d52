"""Makes the arguments with which every Kafka client connects and logs in.

Nothing else in Headrace passes an address, a login or a certificate to a client of Kafka.
"""

import ssl
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from app.concerns import KafkaSettings
from app.errors import UnusableSetting
from app.kafka.msk_tokens import MskTokenProvider
from app.kafka.tokens import TokenProvider

OPEN, TLS, LOGIN, LOGIN_OVER_TLS = "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"
OAUTHBEARER, AWS_MSK_IAM = "OAUTHBEARER", "AWS_MSK_IAM"
PREFIX = "HEADRACE_KAFKA_"


def without_login(settings: KafkaSettings) -> KafkaSettings:
    """Return the settings for a broker that anybody may use, such as the embedded one."""
    names = [each.name for each in fields(settings) if each.name.startswith(("security_", "sasl_", "tls_", "aws_"))]
    unset: dict[str, Any] = {name: getattr(KafkaSettings(), name) for name in names}
    return replace(settings, **unset)


def without_login_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the same of an environment."""
    starts = tuple(f"{PREFIX}{each}" for each in ("SECURITY_", "SASL_", "TLS_", "AWS_"))
    return {name: value for name, value in environ.items() if not name.startswith(starts)}


def client_arguments(settings: KafkaSettings) -> dict[str, Any]:
    """Return the keyword arguments of an aiokafka client: address, TLS and login.

    Raises UnusableSetting when the settings of TLS and login do not fit together, or name files
    that cannot be used. The message shows no password.
    """
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap,
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol in (TLS, LOGIN_OVER_TLS):
        arguments["ssl_context"] = tls_context(settings)
    else:
        _refuse_tls_files(settings)
    if settings.security_protocol in (LOGIN, LOGIN_OVER_TLS):
        arguments |= _login(settings)
    else:
        _refuse_login(settings)
    return arguments


def tls_context(settings: KafkaSettings) -> ssl.SSLContext:
    """Return the TLS context: which authorities are trusted, and the client's certificate if any.

    The broker's certificate and its host name are always checked. Raises UnusableSetting.
    """
    if settings.tls_key_file and not settings.tls_certificate_file:
        raise UnusableSetting(f"{PREFIX}TLS_KEY_FILE is set, but not {PREFIX}TLS_CERTIFICATE_FILE: set both, or none")
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file or None)
    except OSError as error:  # SSLError is one
        raise _unreadable("TLS_CA_FILE", settings.tls_ca_file, "certificates in PEM", error) from None
    if settings.tls_certificate_file:
        _add_certificate(context, settings)
    return context


def _add_certificate(context: ssl.SSLContext, settings: KafkaSettings) -> None:
    password = settings.tls_key_password
    try:
        # Without a password, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(settings.tls_certificate_file, settings.tls_key_file or None, lambda: password)
    except OSError as error:
        files = ", ".join(filter(None, (settings.tls_certificate_file, settings.tls_key_file)))
        wanted = f"a certificate and its key in PEM; {PREFIX}TLS_KEY_PASSWORD opens a key with a password"
        raise _unreadable("TLS_CERTIFICATE_FILE", files, wanted, error) from None


def _login(settings: KafkaSettings) -> dict[str, Any]:
    mechanism = settings.sasl_mechanism
    if mechanism == AWS_MSK_IAM:
        return _aws_login(settings)
    if mechanism == OAUTHBEARER:
        if bool(settings.sasl_token_file) == bool(settings.sasl_token_command):
            raise UnusableSetting(
                f"{PREFIX}SASL_MECHANISM={OAUTHBEARER} needs a token: set one of {PREFIX}SASL_TOKEN_FILE and "
                f"{PREFIX}SASL_TOKEN_COMMAND"
            )
        provider = TokenProvider(settings.sasl_token_file, settings.sasl_token_command)
        return {"sasl_mechanism": mechanism, "sasl_oauth_token_provider": provider}
    if not settings.sasl_username or not settings.sasl_password:
        raise UnusableSetting(
            f"{PREFIX}SASL_MECHANISM={mechanism} needs {PREFIX}SASL_USERNAME and {PREFIX}SASL_PASSWORD: set both"
        )
    return {
        "sasl_mechanism": mechanism,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": settings.sasl_password,
    }


def _aws_login(settings: KafkaSettings) -> dict[str, Any]:
    if settings.security_protocol != LOGIN_OVER_TLS:
        raise UnusableSetting(f"{PREFIX}SASL_MECHANISM={AWS_MSK_IAM} needs {PREFIX}SECURITY_PROTOCOL={LOGIN_OVER_TLS}")
    if not settings.aws_region:
        raise UnusableSetting(f"{PREFIX}SASL_MECHANISM={AWS_MSK_IAM} needs {PREFIX}AWS_REGION, such as eu-central-1")
    return {"sasl_mechanism": OAUTHBEARER, "sasl_oauth_token_provider": MskTokenProvider(settings.aws_region)}


def _refuse_login(settings: KafkaSettings) -> None:
    given = {
        f"{PREFIX}SASL_USERNAME": settings.sasl_username,
        f"{PREFIX}SASL_PASSWORD": settings.sasl_password,
        f"{PREFIX}SASL_TOKEN_FILE": settings.sasl_token_file,
        f"{PREFIX}SASL_TOKEN_COMMAND": settings.sasl_token_command,
        f"{PREFIX}AWS_REGION": settings.aws_region,
    }
    _refuse(given, f"{PREFIX}SECURITY_PROTOCOL={settings.security_protocol} logs nobody in: set it to SASL_SSL")


def _refuse_tls_files(settings: KafkaSettings) -> None:
    given = {
        f"{PREFIX}TLS_CA_FILE": settings.tls_ca_file,
        f"{PREFIX}TLS_CERTIFICATE_FILE": settings.tls_certificate_file,
        f"{PREFIX}TLS_KEY_FILE": settings.tls_key_file,
    }
    _refuse(given, f"{PREFIX}SECURITY_PROTOCOL={settings.security_protocol} uses no TLS: set it to SSL or SASL_SSL")


def _refuse(given: dict[str, str], reason: str) -> None:
    """Refuse a setting without effect: its owner would believe that it protects the connection."""
    for name, value in given.items():
        if value:
            raise UnusableSetting(f"{name} is set, but {reason}; or unset {name}")


def _unreadable(name: str, files: str, wanted: str, error: OSError) -> UnusableSetting:
    missing = [each for each in files.split(", ") if each and not Path(each).is_file()]
    reason = f"{missing[0]} is not a file" if missing else f"it cannot be used ({error.strerror or error})"
    return UnusableSetting(f"{PREFIX}{name}={files}: {reason}; it takes {wanted}")

"""Finds out why a broker lets nobody in; its client library only says that it did not connect."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any

from aiokafka.conn import (  # type: ignore[import-untyped]  # ships no types
    collect_hosts,
    create_conn,
)
from aiokafka.errors import (  # type: ignore[import-untyped]  # ships no types
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.failure import KafkaAway
from app.kafka.login import AWS_MSK_IAM, LOGIN, LOGIN_OVER_TLS, OAUTHBEARER, OPEN, PREFIX, TLS, client_arguments
from app.kafka.tokens import NoToken

PROBE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LoginFault:
    """What keeps us out, and which settings to correct. Neither text holds a secret."""

    detail: str
    advice: str

    def __str__(self) -> str:
        return f"{self.detail}; {self.advice}"


async def kafka_away(settings: KafkaSettings, error: Exception, advice: str) -> HeadraceError:
    """Return the error for a Kafka that does not answer, or that lets nobody in. `advice` is for
    the first.
    """
    fault = await find_login_fault(settings)
    if fault is not None:
        return HeadraceError(str(fault))
    # Of a refused connection, the client library's text only repeats the address.
    reason = error.reason if isinstance(error, KafkaAway) else "" if isinstance(error, KafkaConnectionError) else error
    told = f" ({reason})" if reason else ""
    return HeadraceError(
        f"no Kafka answers at {settings.bootstrap}{told}; "
        f"check HEADRACE_KAFKA_BOOTSTRAP, the broker's address as host:port{advice}"
    )


async def find_login_fault(settings: KafkaSettings) -> LoginFault | None:
    """Connect to each bootstrap address as the clients do, and say why the first one that answers
    lets nobody in.

    Returns None when no address answers at all, and when nothing is wrong. Raises UnusableSetting.
    """
    arguments = client_arguments(settings)
    for host, port, _ in collect_hosts(arguments.pop("bootstrap_servers")):
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                return await _probe(host, port, arguments, settings)
        except (ConnectionRefusedError, TimeoutError):
            continue  # nobody is there, or somebody who says nothing
        except OSError as error:
            if isinstance(error, ssl.SSLError | NoToken | ConnectionResetError):
                return _explain(error, f"{host}:{port}", settings)
            continue  # such as a host without a name
    return None


async def _probe(host: str, port: int, arguments: dict[str, Any], settings: KafkaSettings) -> LoginFault | None:
    try:
        connection = await create_conn(host, port, **arguments)
    except KafkaError as error:
        return _explain(error, f"{host}:{port}", settings)
    try:
        # A broker may refuse a login only with the first request after it, or with an empty answer.
        answer = await connection.send(MetadataRequest([]))
    except KafkaError as error:
        return _explain(error, f"{host}:{port}", settings)
    finally:
        connection.close()
    return None if answer.brokers else _explain(KafkaError(), f"{host}:{port}", settings)


def _explain(error: Exception, address: str, settings: KafkaSettings) -> LoginFault:
    protocol = settings.security_protocol
    if isinstance(error, NoToken):
        return LoginFault("there is no token to log in to Kafka with", str(error))
    if isinstance(error, ssl.SSLError):
        return _tls_fault(error, address, settings)
    if protocol in (LOGIN, LOGIN_OVER_TLS) and (fault := _refusal(error, address, settings)) is not None:
        return fault
    if isinstance(error, KafkaConnectionError | ConnectionResetError):
        return LoginFault(f"Kafka at {address} closes the connection before it answers", _other_protocol(protocol))
    return LoginFault(f"Kafka at {address} lets nobody in: {type(error).__name__}", _other_protocol(protocol))


def _refusal(error: Exception, address: str, settings: KafkaSettings) -> LoginFault | None:
    mechanism = settings.sasl_mechanism
    if isinstance(error, UnsupportedSaslMechanismError):
        # The argument of the broker's own answer is a connection, that of the client a text.
        offered = error.args[0] if error.args and isinstance(error.args[0], str) else "the broker does not offer it"
        return LoginFault(f"Kafka at {address} has no login by {mechanism}: {offered}", f"set {PREFIX}SASL_MECHANISM")
    if mechanism == AWS_MSK_IAM:
        advice = f"check {PREFIX}AWS_REGION, and allow this role kafka-cluster:Connect on the cluster"
        return LoginFault(f"Kafka at {address} refuses the token that AWS credentials signed", advice)
    if mechanism == OAUTHBEARER and not isinstance(error, IllegalSaslStateError):
        return LoginFault(f"Kafka at {address} refuses the token", "get a token that it trusts and that has not ended")
    if isinstance(error, SaslAuthenticationFailed | AuthenticationFailedError):
        advice = f"check {PREFIX}SASL_USERNAME and {PREFIX}SASL_PASSWORD, or {PREFIX}SASL_MECHANISM"
        return LoginFault(f"Kafka at {address} refuses user {settings.sasl_username} by {mechanism}", advice)
    return None


def _tls_fault(error: ssl.SSLError, address: str, settings: KafkaSettings) -> LoginFault:
    if isinstance(error, ssl.SSLCertVerificationError):
        detail = f"the certificate of Kafka at {address} cannot be trusted: {error.verify_message}"
        named = settings.tls_ca_file or "this machine's authorities"
        return LoginFault(
            detail, f"set {PREFIX}TLS_CA_FILE (now {named}), and name Kafka by a host that its certificate has"
        )
    reason = str(error.reason or error)
    if "CERTIFICATE_REQUIRED" in reason or "BAD_CERTIFICATE" in reason or "UNKNOWN_CA" in reason:
        advice = f"set {PREFIX}TLS_CERTIFICATE_FILE and {PREFIX}TLS_KEY_FILE to a certificate that Kafka trusts"
        return LoginFault(f"Kafka at {address} does not take our certificate: {reason}", advice)
    return LoginFault(f"TLS with Kafka at {address} fails: {reason}", _other_protocol(settings.security_protocol))


def _other_protocol(protocol: str) -> str:
    advice = {
        OPEN: f"if it wants TLS or a login, set {PREFIX}SECURITY_PROTOCOL to {TLS}, {LOGIN} or {LOGIN_OVER_TLS}",
        TLS: f"if it wants a client's certificate, set {PREFIX}TLS_CERTIFICATE_FILE; "
        f"if it wants a login or no TLS, set {PREFIX}SECURITY_PROTOCOL",
    }
    return advice.get(protocol, f"check {PREFIX}SECURITY_PROTOCOL: with TLS it is {LOGIN_OVER_TLS}, else {LOGIN}")

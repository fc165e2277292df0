"""Why a TLS handshake fails. librdkafka says that a certificate could not be verified, and not what is wrong with it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl

from confluent_kafka import KafkaError

from fink_distribution.errors import Reason, Stalled
from fink_distribution.kafka.login import Tls

_PROBE_SECONDS = 5.0
_ADDRESS = re.compile(r"s(?:asl_s)?sl://\[?(?P<host>[^/\]]+?)\]?:(?P<port>\d+)/", re.IGNORECASE)
_ADVICE = (
    ("expired", "Renew the broker's certificate, or the authority's."),
    ("not yet valid", "Correct the broker's certificate, or the clock."),
    (
        "mismatch",
        "Name the brokers in bootstrapServers and their advertised.listeners as it does, or set tls.hostnameVerification: false.",
    ),
    ("", "Put the certificate of the brokers' authority where tls.caSecretRef or tls.caConfigMapRef says."),
)


async def explain_tls(error: KafkaError, bootstrap_servers: str, tls: Tls) -> Stalled:
    """Turn a failed handshake into an error that says what is wrong with which certificate.

    The handshake is tried once more with Python's own TLS, which tells what OpenSSL found.
    """
    found = _ADDRESS.search(error.str())
    first = bootstrap_servers.split(",", maxsplit=1)[0]
    host, port = (found["host"], int(found["port"])) if found else _split(first)
    return Stalled(Reason.TLS_FAILED, await _find_cause(host, port, tls, error))


def unusable(error: Exception) -> Stalled:
    """Return the error of certificates or a key that cannot be read. OpenSSL's words hold nothing of the key."""
    return Stalled(
        Reason.TLS_FAILED,
        f"the certificates that tls names cannot be used: {error}. They must be PEM: ca.crt the authority's certificates, tls.crt "
        "the client's certificate and tls.key its unencrypted key.",
    )


async def _find_cause(host: str, port: int, tls: Tls, error: KafkaError) -> str:
    where = f"{host}:{port}"
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=tls.context())
    except ssl.SSLCertVerificationError as refused:
        advice = next(text for word, text in _ADVICE if word in refused.verify_message)
        return f"the certificate of broker {where} is not accepted: {refused.verify_message.rstrip('.')}. {advice}"
    except ssl.SSLError as refused:
        return f"broker {where} does not speak TLS as expected: {refused.reason}. Name a listener with TLS, or leave out spec.tls."
    except OSError:
        # Its peer hung up, or it has gone meanwhile: librdkafka's own words are all there is.
        return f"the TLS handshake with broker {where} failed: {_words(error)}."
    writer.close()
    with contextlib.suppress(OSError, ssl.SSLError):
        await writer.wait_closed()
    if tls.certificate is None:
        return f"broker {where} wants a client certificate. Name one in tls.clientCertificateSecretRef, or another listener. {_words(error)}."
    return (
        f"broker {where} does not accept the client certificate of tls.clientCertificateSecretRef: {_words(error)}. It must be valid "
        "and of an authority that the broker's truststore has."
    )


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _words(error: KafkaError) -> str:
    # Without the address before and the state behind.
    text = error.str().partition("/bootstrap: ")[2] or error.str()
    return re.sub(r" \(after \d+ms.*\)$", "", text)

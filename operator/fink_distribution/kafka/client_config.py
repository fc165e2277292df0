"""Clients' configuration files, Java's and librdkafka's, as settings of librdkafka. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_VERBATIM = {
    "sasl.username": "sasl.username",
    "sasl.password": "sasl.password",
    "sasl.mechanisms": "sasl.mechanism",
    "ssl.ca.location": "ssl.ca.location",
    "ssl.ca.pem": "ssl.ca.pem",
    "ssl.certificate.location": "ssl.certificate.location",
    "ssl.certificate.pem": "ssl.certificate.pem",
    "ssl.key.location": "ssl.key.location",
    "ssl.key.pem": "ssl.key.pem",
    "enable.ssl.certificate.verification": "enable.ssl.certificate.verification",
}
"""Keys that only librdkafka has: such a line has no escapes, a backslash in a password is a backslash."""

_ESCAPED = {
    "bootstrap.servers": "bootstrap.servers",
    "security.protocol": "security.protocol",
    "sasl.mechanism": "sasl.mechanism",
    "ssl.truststore.certificates": "ssl.ca.pem",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
    "ssl.keystore.location": "ssl.keystore.location",
    "ssl.keystore.password": "ssl.keystore.password",
    "ssl.key.password": "ssl.key.password",
    "ssl.endpoint.identification.algorithm": "ssl.endpoint.identification.algorithm",
    "ssl.cipher.suites": "ssl.cipher.suites",
}
"""Keys that Java's clients have, read as java.util.Properties reads them, with librdkafka's names."""

_SPECIAL = {"sasl.jaas.config", "ssl.truststore.location", "ssl.truststore.type", "ssl.keystore.type"}
_REGISTRY = {"schema.registry.url", "basic.auth.user.info", "schema.registry.ssl.ca.location"}
_NO_MATTER = {"ssl.protocol", "ssl.enabled.protocols", "ssl.truststore.password", "ssl.provider"}
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_JAAS_MODULE = re.compile(r"org\.apache\.kafka\.common\.security\.(?:scram\.Scram|plain\.Plain)LoginModule")
_JAAS_OPTION = re.compile(r'(username|password)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))')


class ConfigError(Exception):
    """The file does not say how to reach Kafka, or says it in a way that is not understood. Never holds a secret."""


def client_settings(text: str) -> dict[str, str]:
    """Read a properties file as Kafka's own tools take it with --command-config, or one of librdkafka.

    Keys that are about something else than the connection (a producer's, say) are left out.

    Raises
    ------
    ConfigError
        A key about the connection is not known, or its value cannot be used by librdkafka.
    """
    written = dict(_lines(text))
    unknown = sorted(key for key in written if key.startswith(("sasl.", "ssl.", "security.")) and not _is_known(key))
    if unknown:
        allowed = ", ".join(sorted(_VERBATIM.keys() | _ESCAPED.keys() | _SPECIAL))
        raise ConfigError(f"{', '.join(unknown)}: not known here. Known are: {allowed}.")
    found = {name: written[key] for names in (_ESCAPED, _VERBATIM) for key, name in names.items() if key in written}
    if "sasl.jaas.config" in written:
        found |= _of_jaas(written["sasl.jaas.config"])
    if "ssl.truststore.location" in written:
        found["ssl.ca.location"] = _pem(written, "ssl.truststore")
    if written.get("ssl.keystore.type", "").upper() == "JKS":
        raise ConfigError(
            "ssl.keystore.type: JKS is Java's own format; convert it to PKCS12 with keytool -importkeystore."
        )
    if written.get("ssl.endpoint.identification.algorithm") == "":
        found["ssl.endpoint.identification.algorithm"] = "none"
    _check(found)
    return found


def registry_settings(text: str) -> dict[str, str]:
    """Read what a properties file says of a schema registry, by Confluent's keys: its address, its login, its authority."""
    return {key: value for key, value in _lines(text) if key in _REGISTRY}


def _is_known(key: str) -> bool:
    return key in _VERBATIM or key in _ESCAPED or key in _SPECIAL or key in _NO_MATTER


def _check(found: Mapping[str, str]) -> None:
    protocol, mechanism = found.get("security.protocol", "PLAINTEXT"), found.get("sasl.mechanism")
    if protocol.upper() not in _PROTOCOLS:
        raise ConfigError(f"security.protocol: {protocol} is not one of: {', '.join(_PROTOCOLS)}.")
    if not protocol.upper().startswith("SASL"):
        return
    if mechanism not in _MECHANISMS:
        raise ConfigError(f"sasl.mechanism: {mechanism or 'it is missing'}; it is one of: {', '.join(_MECHANISMS)}.")
    if not found.get("sasl.username") or not found.get("sasl.password"):
        raise ConfigError(
            f"security.protocol {protocol} needs a login: give sasl.jaas.config with username and password, or sasl.username and "
            "sasl.password."
        )


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Split into keys and values, as java.util.Properties does: continued lines, `=`, `:` or a space between the two."""
    lines = iter(text.splitlines())
    for first in lines:
        line = first.lstrip()
        if not line or line[0] in "#!":
            continue
        match = re.match(r"((?:\\.|[^=:\s\\])+)\s*[=:\s]\s*", line)
        key, value = (match[1], line[match.end() :]) if match else (line, "")
        if key in _VERBATIM:
            yield key, value.rstrip()
            continue
        while _is_continued(value):
            value = value[:-1] + next(lines, "").lstrip()
        yield _unescape(key), _unescape(value)


def _is_continued(value: str) -> bool:
    return (len(value) - len(value.rstrip("\\"))) % 2 == 1


def _unescape(text: str) -> str:
    letters = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else letters.get(m[2], m[2]), text)


def _of_jaas(line: str) -> dict[str, str]:
    if not _JAAS_MODULE.search(line):
        raise ConfigError("sasl.jaas.config: only ScramLoginModule and PlainLoginModule are known here.")
    options = {
        match[1]: re.sub(r"\\(.)", r"\1", match[2]) if match[3] is None else match[3]
        for match in _JAAS_OPTION.finditer(line)
    }
    missing = [name for name in ("username", "password") if not options.get(name)]
    if missing:
        raise ConfigError(f'sasl.jaas.config: it has no {" and no ".join(missing)}; write {missing[0]}="..." into it.')
    return {"sasl.username": options["username"], "sasl.password": options["password"]}


def _pem(written: Mapping[str, str], prefix: str) -> str:
    kind = written.get(f"{prefix}.type", "JKS").upper()
    if kind != "PEM":
        raise ConfigError(
            f"{prefix}.location: it is of type {kind}, and only PEM can be read here. Export the certificates (keytool -exportcert "
            f"-rfc) and set {prefix}.type=PEM, or ssl.ca.location."
        )
    return written[f"{prefix}.location"]

"""Properties files, Java's and librdkafka's, a case a line."""

from __future__ import annotations

import pytest

from fink_distribution.kafka.client_config import ConfigError, client_settings, registry_settings

SCRAM = "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
MODULE = "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required "
LOGIN = {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512"}


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("bootstrap.servers=a:9092,b:9092\nacks=all\n", {"bootstrap.servers": "a:9092,b:9092"}),
        ("# comment\n! another\n\n  security.protocol : SSL", {"security.protocol": "SSL"}),
        (SCRAM + MODULE + 'username="u" password="p";', LOGIN | {"sasl.username": "u", "sasl.password": "p"}),
        (  # continued, and escaped twice: once for the properties, once for JAAS
            SCRAM + MODULE + '\\\n    username="u" \\\n    password="a\\\\\\\\b\\\\"c;=\\u00e9";',
            LOGIN | {"sasl.username": "u", "sasl.password": 'a\\b"c;=é'},
        ),
        (  # librdkafka knows no escapes
            SCRAM.replace("mechanism", "mechanisms") + "sasl.username=u\nsasl.password=a\\b=c\\\n",
            LOGIN | {"sasl.username": "u", "sasl.password": "a\\b=c\\"},
        ),
        (
            "security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=/ca.pem\nssl.endpoint.identification.algorithm=",
            {
                "security.protocol": "SSL",
                "ssl.ca.location": "/ca.pem",
                "ssl.endpoint.identification.algorithm": "none",
            },
        ),
    ],
)
def test_settings(text: str, settings: dict[str, str]) -> None:
    assert client_settings(text) == settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("security.protocol=TLS", "security.protocol: TLS is not one of: PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
        ("security.protocol=SASL_SSL", "sasl.mechanism: it is missing; it is one of: PLAIN"),
        (SCRAM, "needs a login: give sasl.jaas.config"),
        (SCRAM + MODULE + 'username="u" pasword="hush";', "sasl.jaas.config: it has no password"),
        (SCRAM + "sasl.jaas.config=com.example.Module required;", "only ScramLoginModule and PlainLoginModule"),
        (SCRAM + "sasl.user=u", "sasl.user: not known here. Known are: bootstrap.servers"),
        ("ssl.truststore.location=/ca.jks", "ssl.truststore.location: it is of type JKS, and only PEM can be read"),
    ],
)
def test_what_cannot_be_used_is_said_and_no_secret_with_it(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        client_settings(text)
    assert said in str(refused.value)
    assert "hush" not in str(refused.value)


def test_what_confluents_tools_read_of_a_registry() -> None:
    text = "schema.registry.url=https://r:8081\nbasic.auth.user.info=reader:a\\=b\nschema.registry.ssl.ca.location=/ca.pem\nx=y\n"
    assert registry_settings(text) == {
        "schema.registry.url": "https://r:8081",
        "basic.auth.user.info": "reader:a=b",
        "schema.registry.ssl.ca.location": "/ca.pem",
    }
    assert client_settings("bootstrap.servers=b:1\n" + text) == {"bootstrap.servers": "b:1"}

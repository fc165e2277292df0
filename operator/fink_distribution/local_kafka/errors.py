"""Why the local Kafka does not start or stop: for people, and told apart by who mends it."""

from __future__ import annotations


class LocalKafkaError(Exception):
    """What is wrong, where, and what to do. Never holds a secret."""


class ConfigurationError(LocalKafkaError):
    """The configuration file has to be corrected."""


class ToolError(LocalKafkaError):
    """Java or Maven is missing, too old or fails."""


class PortTakenError(LocalKafkaError):
    """Somebody else listens where a broker is to."""

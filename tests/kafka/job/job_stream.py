"""A stream's topics and user on the broker, as the operator would make them."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)


class Stream:
    """Topics and a user of one test's own; all names begin with `prefix`."""

    def __init__(self, admin: AdminClient, login: dict[str, str], folder: Path) -> None:
        self.admin = admin
        self.login = login
        self.prefix = f"job-{secrets.token_hex(4)}"
        self.user = f"{self.prefix}-user"
        self.password = secrets.token_urlsafe(16)
        self.credentials = folder / "credentials"
        self.credentials.mkdir()
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        upsertion = UserScramCredentialUpsertion(self.user, scram, password=self.password.encode())
        for future in admin.alter_user_scram_credentials([upsertion]).values():
            future.result()
        module = "org.apache.kafka.common.security.scram.ScramLoginModule"
        files = {
            "username": self.user,
            "password": self.password,
            "sasl.jaas.config": f'{module} required username="{self.user}" password="{self.password}";',
        }
        for name, text in files.items():
            (self.credentials / name).write_text(text)

    @property
    def kafka(self) -> dict[str, Any]:
        return {
            "bootstrapServers": self.login["bootstrap.servers"],
            "securityProtocol": "SASL_PLAINTEXT",
            "saslMechanism": "SCRAM-SHA-512",
            "credentialsDirectory": str(self.credentials),
        }

    def name(self, short: str) -> str:
        return f"{self.prefix}-{short}"

    def topic(self, short: str, partitions: int = 4, writable: bool = True, **config: str) -> str:
        """Make a topic, which the user may see, and write to if `writable`."""
        name = self.name(short)
        for future in self.admin.create_topics([NewTopic(name, partitions, 1, config=config)]).values():
            future.result()
        self.allow(short, AclOperation.DESCRIBE, *([AclOperation.WRITE] if writable else []))
        return name

    def allow(self, short: str, *operations: AclOperation) -> None:
        self._grant(ResourceType.TOPIC, self.name(short), *operations)

    def allow_transactions(self, *shorts: str) -> dict[str, str]:
        """Let the user publish exactly once, to these topics; returns the configuration's part that asks for it."""
        self._grant(ResourceType.TRANSACTIONAL_ID, self.user, AclOperation.WRITE, AclOperation.DESCRIBE)
        self.allow_group(self.user)
        for short in shorts:
            self.allow(short, AclOperation.READ, AclOperation.DESCRIBE_CONFIGS)
        return {"guarantee": "ExactlyOnce", "transactionalId": self.user}

    def allow_group(self, name: str) -> None:
        self._grant(ResourceType.GROUP, name, AclOperation.READ)

    def _grant(self, kind: ResourceType, name: str, *operations: AclOperation) -> None:
        bindings = [
            AclBinding(
                kind, name, ResourcePatternType.LITERAL, f"User:{self.user}", "*", operation, AclPermissionType.ALLOW
            )
            for operation in operations
        ]
        for future in self.admin.create_acls(bindings).values():
            future.result()

"""What a running testbed tells its users: `.testbed/env`, and the same as an object."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from testbed.errors import TestbedError

LEVELS = ("kafka", "api", "node")


class Environment:
    """The values of `.testbed/env`, typed; asking for one that the running level does not have says which level has it."""

    __test__ = False

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)

    @classmethod
    def read(cls, file: Path) -> Environment:
        """Read a file that `write` made."""
        words = (line.partition("=") for line in file.read_text().splitlines() if "=" in line)
        return cls({key: shlex.split(value)[0] for key, _, value in words})

    def write(self, file: Path) -> None:
        """Write KEY=value lines that a shell can source, whole or not at all."""
        half = file.with_suffix(".half")
        half.write_text("".join(f"{k}={shlex.quote(v)}\n" for k, v in self.values.items()))
        half.rename(file)

    def exported(self) -> dict[str, str]:
        """The environment for a subprocess that is to use the testbed."""
        return {**os.environ, **self.values}

    @property
    def level(self) -> str:
        """kafka, api or node."""
        return self.values["TESTBED_LEVEL"]

    @property
    def kafka_bootstrap(self) -> str:
        """The broker's address; at node level pods reach it too."""
        return self._get("KAFKA_BOOTSTRAP", "kafka")

    @property
    def kafka_admin_config(self) -> Path:
        """A librdkafka properties file with the admin's login."""
        return Path(self._get("KAFKA_ADMIN_CONFIG", "kafka"))

    @property
    def kafka_jars(self) -> Path:
        """The folder of the broker's jars."""
        return Path(self._get("KAFKA_JARS", "kafka"))

    @property
    def science_dir(self) -> Path:
        """A folder of the host that pods can mount (hostPath)."""
        return Path(self._get("SCIENCE_DIR", "kafka"))

    @property
    def kubeconfig(self) -> Path:
        """The cluster admin's kubeconfig."""
        return Path(self._get("KUBECONFIG", "api"))

    @property
    def kubectl(self) -> Path:
        """kubectl of the control plane's version."""
        return Path(self._get("KUBECTL", "api"))

    @property
    def helm(self) -> Path:
        """Helm."""
        return Path(self._get("HELM", "api"))

    @property
    def operator_image(self) -> str:
        """The operator's image, present on the node."""
        return self._get("OPERATOR_IMAGE", "node")

    @property
    def job_image(self) -> str:
        """The job's image, present on the node."""
        return self._get("JOB_IMAGE", "node")

    @property
    def spark_jars(self) -> Path:
        """The folder of Spark's connector jars."""
        return Path(self._get("SPARK_JARS", "kafka"))

    def _get(self, key: str, level: str) -> str:
        try:
            return self.values[key]
        except KeyError:
            raise TestbedError(
                f"{key} is there from level {level} up, and the testbed runs at level {self.level}: "
                f"run `python -m testbed up --level {level}`."
            ) from None


def properties(file: Path) -> dict[str, str]:
    """The key=value lines of a librdkafka properties file, as its clients take them."""
    lines = (line.partition("=") for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return {key: value for key, _, value in lines}

"""A real PostgreSQL, Debian's, whose data are gone when it ends."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from testbed import packages, ports
from testbed.authority import Authority
from testbed.commands import run
from testbed.errors import TestbedError
from testbed.processes import Processes

USER = "postgres"
_NO_CLUSTER = Path("/etc/postgresql-common/createcluster.conf")


class Postgres:
    """A server with one database and one login, run by an unprivileged user, since it refuses root."""

    def __init__(self, processes: Processes) -> None:
        self.name = f"postgres-{secrets.token_hex(4)}"
        self.user = "owner"
        self.password = secrets.token_urlsafe(16)
        self._processes = processes
        self._port = ports.pick(self.name)
        self._folder = Path()

    @property
    def url(self) -> str:
        """What JDBC's clients are given."""
        return f"jdbc:postgresql://127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Make it and start it, and wait until it answers."""
        _install()
        # Not below pytest's folder, which nobody but its owner may enter.
        self._folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        password, data = self._folder / "password", self._folder / "data"
        password.write_text(self.password)
        if os.geteuid() == 0:
            for place in (self._folder, password):
                shutil.chown(place, USER, USER)
        login = [f"--username={self.user}", f"--pwfile={password}", "--auth=scram-sha-256"]
        run([*_as_user(), _binary("initdb"), f"--pgdata={data}", *login, "--no-sync"], log=self.name)
        settings = {"listen_addresses": "127.0.0.1", "port": self._port, "unix_socket_directories": "", "fsync": "off"}
        words = [*_as_user(), _binary("postgres"), "-D", str(data)]
        for key, value in settings.items():
            words += ["-c", f"{key}={value}"]
        self._processes.start(self.name, words, with_us=True)
        self._processes.wait(self.name, self._answers)

    def demand_tls(self, authority: Authority) -> None:
        """Take connections over TLS alone from now on, with a certificate of this authority."""
        data = self._folder / "data"
        for place, name in zip(
            authority.sign("postgres", "/CN=postgres", server_names="IP:127.0.0.1"), ("crt", "key"), strict=True
        ):
            made = data / f"server.{name}"
            shutil.copyfile(place, made)
            made.chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(made, USER, USER)
        rules = data / "pg_hba.conf"
        rules.write_text(re.sub("(?m)^host ", "hostssl ", rules.read_text()))
        self.sql("ALTER SYSTEM SET ssl = on")
        self.sql("SELECT pg_reload_conf()")

    def sql(self, text: str) -> str:
        """Run statements, and return what they print."""
        done = subprocess.run(
            self._psql(), input=text, env=self._environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise AssertionError(f"psql: {done.stderr.strip()}")
        return done.stdout

    def session(self) -> subprocess.Popen[str]:
        """A client that is told statements one after the other, in transactions of its own."""
        return subprocess.Popen(self._psql(), env=self._environment(), stdin=subprocess.PIPE, text=True)

    def stop(self) -> None:
        """End it, and remove its data."""
        self._processes.stop(self.name, gently=5)
        if self._folder.name:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        words = [_binary("pg_isready"), "-h", "127.0.0.1", "-p", str(self._port)]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0

    def _psql(self) -> list[str]:
        reach = ["-h", "127.0.0.1", "-p", str(self._port), "-U", self.user, "-d", "postgres"]
        return [_binary("psql"), "-qAtX", "-v", "ON_ERROR_STOP=1", *reach]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PGPASSWORD": self.password}


def _install() -> None:
    if os.geteuid() == 0 and not _NO_CLUSTER.exists():
        # Debian's package would make a cluster of its own, and start it.
        _NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
        _NO_CLUSTER.write_text("create_main_cluster = false\n")
    packages.provide(packages.POSTGRES)


def _binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not found:
        raise TestbedError(
            f"PostgreSQL's {name} is not below /usr/lib/postgresql. Install it: sudo apt-get install postgresql"
        )
    return str(found[-1])


def _as_user() -> list[str]:
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups"] if os.geteuid() == 0 else []

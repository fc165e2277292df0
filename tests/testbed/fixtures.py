"""The fixtures of all tests, loaded by tests/conftest.py."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from confluent_kafka.admin import AdminClient

from testbed import jars, paths, spark_classes, usage
from testbed.broker import Broker
from testbed.environment import LEVELS, Environment, properties
from testbed.polling import poll
from testbed.postgres import Postgres
from testbed.processes import Processes
from testbed.schema_registry import SchemaRegistry
from testbed.tls_listeners import TlsListeners

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

T = TypeVar("T")
Kubectl = Callable[..., str]
MakeBrokers = Callable[..., list[Broker]]

LEVEL_OF_FOLDER = {"kafka": "kafka", "cluster": "api", "chart": "api", "e2e": "node"}


def level_of(item: pytest.Item) -> str | None:
    """The level that a test needs: what its marker says, else its folder's."""
    marker = item.get_closest_marker("level")
    if marker is not None:
        return str(marker.args[0])
    folders = Path(item.path).relative_to(paths.CHECKOUT / "tests").parts
    return LEVEL_OF_FOLDER.get(folders[0])


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "level(name): the testbed's level that the test needs: kafka, api or node")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note the highest level that any of the collected tests needs: one testbed serves them all."""
    levels = {level for item in session.items if (level := level_of(item)) is not None}
    session.config.stash[_LEVEL] = max(levels, key=LEVELS.index) if levels else None


_LEVEL = pytest.StashKey[str | None]()


@pytest.fixture(scope="session")
def testbed(request: pytest.FixtureRequest) -> Iterator[Environment]:
    """The running testbed: one that runs already, or one that is made now and ended after the last test."""
    level = request.config.stash[_LEVEL] or "kafka"
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    # Shown although pytest captures output: the first time it takes minutes, and silence would look like a hang.
    with capture.global_and_fixture_disabled():
        use = usage.use(level)
    yield use.environment
    with capture.global_and_fixture_disabled():
        use.release()


@pytest.fixture(scope="session")
def kafka_admin(testbed: Environment) -> AdminClient:
    """An AdminClient that may do everything."""
    return AdminClient(dict(properties(testbed.kafka_admin_config)))


@pytest.fixture
def own_broker(own_brokers: MakeBrokers) -> Broker:
    """A broker of the test's own, started, for tests that stop, kill or fill it."""
    (broker,) = own_brokers(1)
    return broker


@pytest.fixture
def own_brokers(tmp_path: Path) -> Iterator[MakeBrokers]:
    """Start clusters of the test's own: `own_brokers(3)`, `own_brokers(1, {"delete.topic.enable": "false"})`."""
    with brokers_in(tmp_path) as make:
        yield make


@contextmanager
def brokers_in(folder: Path) -> Iterator[MakeBrokers]:
    """Start clusters whose data lie in a folder, and remove them at the end."""
    made: list[Broker] = []

    def make(count: int, settings: Mapping[str, str] | None = None) -> list[Broker]:
        for index in range(count):
            name = f"kafka-{secrets.token_hex(4)}"
            joins = made[-1] if index else None
            broker = Broker(
                folder / name, Processes(paths.state()), name=name, with_us=True, joins=joins, settings=settings
            )
            made.append(broker)
            broker.start()
        return made[-count:]

    try:
        yield make
    finally:
        for broker in reversed(made):
            broker.remove()


@pytest.fixture
def tls_broker(tmp_path: Path) -> Iterator[tuple[Broker, TlsListeners]]:
    """A broker of the test's own that listens over TLS as well."""
    name = f"kafka-{secrets.token_hex(4)}"
    listeners = TlsListeners(tmp_path / "tls")
    broker = Broker(tmp_path / name, Processes(paths.state()), name=name, with_us=True, tls=listeners)
    broker.start()
    yield broker, listeners
    broker.remove()


@pytest.fixture
def schema_registry(tmp_path: Path) -> Iterator[SchemaRegistry]:
    """A schema registry of the test's own, not started yet."""
    registry = SchemaRegistry(tmp_path / f"registry-{secrets.token_hex(4)}", Processes(paths.state()))
    yield registry
    registry.stop()


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of the test's own."""
    server = Postgres(Processes(paths.state()))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def kubectl(testbed: Environment) -> Kubectl:
    """Run kubectl as the cluster's admin: `kubectl("get", "pods", stdin=...)` returns what it prints."""

    def run(*args: str, stdin: str | None = None) -> str:
        words = [str(testbed.kubectl), "--kubeconfig", str(testbed.kubeconfig), *args]
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(args)} ended with code {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    return run


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A fresh Kubernetes namespace, deleted after the test."""
    name = f"test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    # Until its default account is there, every pod in it is refused.
    account = ("get", "serviceaccount", "default", "-n", name, "-o", "name")
    wait_for(lambda: kubectl(*account), what=f"the namespace {name} has its default ServiceAccount")
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def eventually() -> Callable[..., object]:
    """`eventually(look, timeout=30, what="the topic is there")`: see `wait_for`."""
    return wait_for


def wait_for(look: Callable[[], T], timeout: float = 30, what: str = "the condition") -> T:
    """Call `look` until it returns something true, and return that; an AssertionError counts as not yet."""
    last: list[T | AssertionError] = []

    def attempt() -> bool:
        last.clear()
        try:
            last.append(look())
        except AssertionError as error:
            last.append(error)
        return not isinstance(last[0], AssertionError) and bool(last[0])

    if not poll(attempt, timeout, pause=0.1):
        seen = str(last[0]) if isinstance(last[0], AssertionError) else repr(last[0])
        pytest.fail(f"After {timeout:.0f} s it was still not so that {what}. Last seen: {seen}", pytrace=False)
    assert not isinstance(last[0], AssertionError)
    return last[0]


@pytest.fixture(scope="session")
def spark_jars() -> list[Path]:
    """The connector jars for `spark.jars` of a Spark session on this host, which then starts quickly."""
    spark_classes.use()
    return sorted(jars.spark().glob("*.jar"))


@pytest.fixture(scope="session")
def spark(spark_jars: list[Path]) -> Iterator[SparkSession]:
    """One local Spark session, as the job makes it for a Delta table; no Kafka."""
    # Here, so that tests without Spark do not wait for its import.
    from distribution_job import session
    from distribution_job.delta_source import DeltaSource

    conf = {"spark.master": "local[2]", "spark.jars": ",".join(map(str, spark_jars)), "spark.driver.memory": "1g"}
    started = session.start("tests", {**DeltaSource.SESSION, **conf})
    yield started
    started.stop()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real alerts, which are not part of the repository."""
    default = paths.CHECKOUT.parent / "shared" / "data"
    folder = Path(os.environ.get("FINK_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"The real alerts are not at {folder}; set FINK_SHARED_DATA to their folder.")
    return folder

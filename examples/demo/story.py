"""The demo from the first step to the last."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from confluent_kafka import KafkaError

from demo import drops, ending, installation, matching, memory, quickstart, readiness, results, volumes
from demo.cluster import Cluster, ClusterError
from demo.drops import Drop
from demo.kafka_admin import KafkaAdmin
from demo.quickstart import EMBARGOED, GROUP_PREFIX, NAMESPACE, STREAM, SYSTEM, USER, Output
from demo.reader import Reader, RefusedError, login, refusal
from demo.results import Result
from demo.settings import Settings
from demo.steps import Steps

DROPS = 3
READY_SECONDS = 180
READ_SECONDS = 90
SURPLUS_SECONDS = 2.0


def run(settings: Settings, steps: Steps, data: Path | None, rows: int, seed: int, *, keep: bool) -> int:
    """All of it; the exit status."""
    cluster = Cluster(settings)
    admin = KafkaAdmin(settings.kafka_admin_config, settings.kafka_bootstrap)
    if settings.hint:
        steps.say(f"To look around in another terminal: {settings.hint}", "dim")
    installation.refuse_foreign(cluster)
    if installation.is_ours(cluster, NAMESPACE):
        with steps.step("Ends what an earlier demo has left"):
            ending.take_down(cluster, admin, settings, steps)
    with tempfile.TemporaryDirectory(prefix="fink-demo-") as staging, ThreadPoolExecutor(1) as pool:
        # Alerts are made, and their filters counted, while Kubernetes starts pods.
        prepared = pool.submit(_prepare, Path(staging), data, rows, seed)
        if data is not None:
            _refuse_unfit(prepared)
        good = False
        try:
            good = _show(Demo(cluster, admin, settings, steps), prepared)
        except ClusterError:
            ending.last_words(cluster, steps)
            raise
        finally:
            prepared.cancel()
            if keep:
                ending.say_how_to_go_on(steps, settings)
            else:
                _finish(cluster, admin, settings, steps)
    verdict = "All is as it should be" if good else "Something differs, see above"
    steps.say(f"{verdict}. {steps.elapsed():.0f} s in all.", "bold green" if good else "bold red")
    return 0 if good else 1


def _finish(cluster: Cluster, admin: KafkaAdmin, settings: Settings, steps: Steps) -> None:
    try:
        ending.finish(cluster, admin, settings, steps)
    except KeyboardInterrupt:
        steps.fail("Interrupted while ending. The rest: make demo-end")
        raise


def end(settings: Settings, steps: Steps) -> int:
    """Only end what an earlier demo has left."""
    cluster = Cluster(settings)
    if not installation.is_ours(cluster, NAMESPACE):
        steps.say("No demo is there.")
        return 0
    ending.finish(cluster, KafkaAdmin(settings.kafka_admin_config, settings.kafka_bootstrap), settings, steps)
    return 0


class Demo:
    """What the steps share."""

    def __init__(self, cluster: Cluster, admin: KafkaAdmin, settings: Settings, steps: Steps) -> None:
        self.cluster, self.admin, self.settings, self.steps = cluster, admin, settings, steps

    def install(self) -> Callable[[Drop], None]:
        """The operator and all that is declared, in no particular order: they find each other. Returns the way to drop files."""
        steps, cluster, settings = self.steps, self.cluster, self.settings
        with steps.step("The operator, by Helm", look=f"kubectl --namespace {SYSTEM} get all"):
            installation.namespaces(cluster)
            installation.operator(cluster, settings)
            installation.connection(cluster, settings.kafka_bootstrap, self.admin.login)
        names = ", ".join(sorted(file.name for file in quickstart.FOLDER.glob("*.yaml")))
        with steps.step(
            "Topics, a user, permissions and a stream: examples/quickstart", look=f"kubectl -n {NAMESPACE} get fink"
        ):
            if settings.science is not None:
                volumes.make(cluster, settings.science)
            steps.say(f"kubectl apply --namespace {NAMESPACE} -f examples/quickstart   ({names})", "cyan")
            installation.objects(cluster)
            put = self._way_in()
        awaited = [f"{body['kind']} {body['metadata']['name']}" for body in quickstart.objects()]
        awaited = [name for name in awaited if not name.startswith("PersistentVolumeClaim")]
        look = f"kubectl -n {NAMESPACE} wait --for=condition=Ready dstream/{STREAM}"
        with steps.step(
            f"Waits until all {len(awaited) + 1} are Ready, and the stream's own user and permissions", look=look
        ):
            awaited.append("KafkaConnection default")
            readiness.wait(cluster, (SYSTEM, NAMESPACE), awaited, steps.say, READY_SECONDS)
        return put

    def distribute(
        self, put: Callable[[Drop], None], parts: Sequence[Drop], matched: dict[str, Counter[str]]
    ) -> list[Result]:
        """Drop the files one after the other, and read as the community meanwhile."""
        outputs = quickstart.outputs()
        secret = self.cluster.get("secret", USER, "--namespace", NAMESPACE)
        reader = Reader(login(secret), [output.topic for output in outputs], GROUP_PREFIX)
        self.steps.say(f"reads as {USER}, in the group {reader.group}, with what Secret {USER} holds")
        try:
            due = 0
            for number, drop in enumerate(parts, start=1):
                due += sum(_matching(output, drop).total() for output in outputs)
                began = time.monotonic()
                put(drop)
                self.steps.say(f"drop {number}: {drop.rows} alerts in {len(drop.files)} files")
                came = reader.read(_at_least(reader, due), READ_SECONDS)
                self.steps.say(
                    f"        {_count(reader)} of {due} messages read, {time.monotonic() - began:.1f} s after the drop"
                )
                if not came:
                    break
            # Nothing more may come: a surplus would be a duplicate.
            reader.read(lambda: False, SURPLUS_SECONDS)
        except RefusedError as error:
            raise ClusterError(f"Kafka refused what the community is granted: {error}") from None
        finally:
            reader.close()
        return results.results(outputs, matched, reader.received)

    def _way_in(self) -> Callable[[Drop], None]:
        folder, claim = quickstart.source_folder(), quickstart.CLAIMS[0]
        if self.settings.science is not None:
            return drops.into_folder(volumes.folder(self.settings.science, claim) / folder)
        return drops.through_pod(self.cluster, self.settings.job_image, claim, folder)

    def refusals(self) -> bool:
        """What Kafka must refuse; whether it did."""
        granted = login(self.cluster.get("secret", USER, "--namespace", NAMESPACE))
        topic = quickstart.topics()[EMBARGOED]
        stranger = {**granted, "sasl.username": "stranger", "sasl.password": secrets.token_urlsafe(16)}
        tried = (
            (f"{USER} reads {topic}, which it was not granted", granted, topic, KafkaError.TOPIC_AUTHORIZATION_FAILED),
            ("a user that nobody declared logs in", stranger, topic, KafkaError._AUTHENTICATION),
        )
        good = True
        for what, who, where, expected in tried:
            said = refusal(who, where, GROUP_PREFIX)
            right = said is not None and said.error.code() == expected
            good = good and right
            self.steps.say(f"{what}: {said or 'was allowed'}", "green" if right else "red")
        return good


def _show(demo: Demo, prepared: Future[tuple[list[Drop], dict[str, Counter[str]]]]) -> bool:
    steps = demo.steps
    put = demo.install()
    with steps.step(
        "Alerts appear in the folder while the stream runs", look=f"kubectl -n {NAMESPACE} get dstream {STREAM} -o wide"
    ):
        parts, matched = prepared.result()
        found = demo.distribute(put, parts, matched)
    steps.say("What each filter lets through, counted apart from Spark, and what came:")
    steps.show(results.table(found))
    differences = [line for result in found for line in result.differences]
    for line in differences:
        steps.say(line, "red")
    if differences:
        ending.last_words(demo.cluster, steps)
    with steps.step(
        "What the community was not granted, Kafka refuses", look=f"kubectl -n {NAMESPACE} describe kacl {USER}"
    ):
        refused = demo.refusals()
    with steps.step("The operator's memory", look=memory.LOOK):
        small = memory.show(demo.cluster, steps)
    return not differences and refused and small


def _refuse_unfit(prepared: Future[tuple[list[Drop], dict[str, Counter[str]]]]) -> None:
    """Say what is wrong with somebody's own alerts before anything is made for them."""
    try:
        prepared.result()
    except (ValueError, TypeError, OSError) as error:
        raise ClusterError(f"DATA cannot be used with the filters of examples/quickstart: {error}") from None


def _prepare(staging: Path, data: Path | None, rows: int, seed: int) -> tuple[list[Drop], dict[str, Counter[str]]]:
    parts = drops.of_folder(data, DROPS) if data else drops.made_up(staging, rows, seed, DROPS)
    matched: dict[str, Counter[str]] = {}
    for output in quickstart.outputs():
        matched[output.name] = sum((_matching(output, drop) for drop in parts), Counter())
    return parts, matched


def _matching(output: Output, drop: Drop) -> Counter[str]:
    return sum((matching.matching(output, table) for table in drop.alerts), Counter())


def _count(reader: Reader) -> int:
    return sum(len(received) for received in reader.received.values())


def _at_least(reader: Reader, due: int) -> Callable[[], bool]:
    return lambda: _count(reader) >= due

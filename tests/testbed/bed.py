"""The testbed of this checkout as a whole: up, down, and what of it lives."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from testbed import binaries, commands, images, jars, machine, node, node_cleaning, packages, paths
from testbed.binaries import Binaries
from testbed.broker import Broker
from testbed.cache import locked
from testbed.containerd import Containerd
from testbed.control_plane import ControlPlane
from testbed.environment import LEVELS, Environment
from testbed.parallel import together
from testbed.processes import Processes
from testbed.steps import note, step

PROCESSES = {
    "kafka": ("kafka",),
    "api": ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    "node": machine.PROCESSES,
}
STARTED_BY_TESTS = "started-by-tests"


class Bed:
    """One per checkout; every call may come from another process than the last."""

    def __init__(self) -> None:
        self.state = paths.state()
        self.processes = Processes(self.state)
        self.env_file = self.state / "env"
        checkout = hashlib.sha256(str(paths.CHECKOUT).encode()).hexdigest()[:16]
        # Not in the state folder, which `down` deletes.
        self.lock = paths.cache() / "checkouts" / f"{checkout}.lock"

    def level(self) -> str | None:
        """The level at which it runs whole; None when anything of it is missing."""
        if not self.env_file.exists():
            return None
        level = self.environment().level
        return level if all(self.processes.get(name) for name in expected(level)) else None

    def environment(self) -> Environment:
        """What `up` wrote."""
        return Environment.read(self.env_file)

    def up(self, level: str) -> Environment:
        """Make it run at that level or keep it at a higher one."""
        with self._alone(level):
            current = self.level()
            if current is not None and LEVELS.index(current) >= LEVELS.index(level):
                note(f"Already running at level {current}.")
                if level == "node":
                    self._renew_images()
                return self.environment()
            if level == "node":
                machine.require_root()
                machine.refuse_if_another_lives()
            packages.require(level)
            try:
                if current is None:
                    self._clean()
                if level == "node":
                    node_cleaning.clean()  # another checkout's, crashed
                self._raise(level)
            except BaseException:
                commands.resume()
                if current is None:
                    with step("Ending what had been started"):
                        self._clean()
                raise
            return self.environment()

    def keep(self) -> None:
        """A person wants it: the test run that may have started it is not to end it."""
        (self.state / STARTED_BY_TESTS).unlink(missing_ok=True)

    def down(self) -> None:
        """End and delete all of it."""
        with (
            self._alone("node" if machine.owner() == paths.CHECKOUT else "kafka"),
            step("Ending and deleting the testbed"),
        ):
            self._clean()

    @contextmanager
    def _alone(self, level: str) -> Iterator[None]:
        """One at a time in a checkout, and one at a time on the machine where it is about the node."""
        with locked(self.lock):
            if level != "node":
                yield
                return
            machine.require_root()
            with locked(machine.LOCK):
                yield

    def _raise(self, level: str) -> None:
        self.state.mkdir(exist_ok=True)
        before = self.environment().values if self.env_file.exists() else {}
        values = before | {"TESTBED_LEVEL": level}
        if level == "kafka":
            values |= self._start_kafka("127.0.0.1", before)
        elif level == "api":
            built = binaries.build(binaries.API)
            together(
                lambda: values.update(self._start_kafka("127.0.0.1", before)),
                lambda: values.update(self._start_control_plane(built, "127.0.0.1")[1]),
            )
        else:
            values |= self._start_node(before)
        Environment(values).write(self.env_file)

    def _start_kafka(self, host: str, before: dict[str, str]) -> dict[str, str]:
        libraries = jars.kafka()
        broker = Broker(self.state / "kafka", self.processes, host=host)
        if not broker.alive() or broker.bootstrap != before.get("KAFKA_BOOTSTRAP"):
            with step(f"Kafka at {broker.bootstrap}"):
                broker.stop()
                broker.start()
        science = self.state / "science"
        science.mkdir(exist_ok=True)
        science.chmod(0o777)  # pods of any user write here
        return {
            "KAFKA_BOOTSTRAP": broker.bootstrap,
            "KAFKA_ADMIN_CONFIG": str(broker.admin_config),
            "KAFKA_JARS": str(libraries),
            "SPARK_JARS": str(jars.spark()),
            "SCIENCE_DIR": str(science),
        }

    def _start_control_plane(self, built: Binaries, host: str) -> tuple[ControlPlane, dict[str, str]]:
        plane = ControlPlane(self.state, self.processes, built, host)
        with step(f"Control plane at {plane.server}"):
            plane.start()
        values = {"KUBECONFIG": str(plane.kubeconfig), "KUBECTL": str(built["kubectl"]), "HELM": str(built["helm"])}
        return plane, values

    def _start_node(self, before: dict[str, str]) -> dict[str, str]:
        machine.claim()
        node.make_network()
        # What only waits for the network or the disk is done while Go computes.
        together(lambda: binaries.build(binaries.NODE), jars.kafka, self._start_containerd)
        built = binaries.build(binaries.NODE)
        values: dict[str, str] = {}
        planes: list[ControlPlane] = []

        def start_control_plane() -> None:
            plane, more = self._start_control_plane(built, machine.BRIDGE_ADDRESS)
            planes.append(plane)
            values.update(more)

        together(lambda: values.update(self._start_kafka(machine.BRIDGE_ADDRESS, before)), start_control_plane)
        with step("Node: kubelet, kube-proxy, DNS"):
            node.Node(self.processes, built, planes[0]).start()
        return values | self._image_values()

    def _start_containerd(self) -> None:
        images.Builder().build()
        containerd = Containerd(self.processes)
        with step("containerd"):
            containerd.start()
        containerd.load(only_ours=True)

    def _renew_images(self) -> None:
        images.Builder().build()
        Containerd(self.processes).load(only_ours=False)
        Environment(self.environment().values | self._image_values()).write(self.env_file)

    @staticmethod
    def _image_values() -> dict[str, str]:
        tags = images.tags()
        return {"OPERATOR_IMAGE": tags["operator"], "JOB_IMAGE": tags["job"]}

    def _clean(self) -> None:
        if machine.owner() == paths.CHECKOUT:
            node.end_pods(self.processes)
            node_cleaning.clean()
        for name in self.processes.names():
            self.processes.stop(name)
        shutil.rmtree(self.state, ignore_errors=True)


def expected(level: str) -> list[str]:
    """The names of all processes that run at that level."""
    return [name for lower in LEVELS[: LEVELS.index(level) + 1] for name in PROCESSES[lower]]

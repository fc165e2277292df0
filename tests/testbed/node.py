"""One real node: containerd, kubelet, kube-proxy and the cluster's DNS, as processes of the host."""

from __future__ import annotations

import http.client
import os

from fink_distribution.local_kafka.private import write_private
from testbed import cgroups, machine, node_config, ports
from testbed.binaries import Binaries
from testbed.commands import run
from testbed.containerd import Containerd
from testbed.control_plane import ControlPlane
from testbed.errors import TestbedError
from testbed.parallel import together
from testbed.processes import Processes


def make_network() -> None:
    """Make the bridge before any pod does: Kafka and the API server listen on its address."""
    run(["ip", "link", "add", machine.BRIDGE, "type", "bridge"])
    run(["ip", "address", "add", f"{machine.BRIDGE_ADDRESS}/24", "dev", machine.BRIDGE])
    run(["ip", "link", "set", machine.BRIDGE, "up"])
    configs = machine.RUN / "cni"
    configs.mkdir(parents=True, exist_ok=True)
    (configs / "10-testbed.conflist").write_text(node_config.network_config())
    cgroups.prepare()


class Node:
    """The processes of the node; its control plane must answer and its containerd run."""

    def __init__(self, processes: Processes, binaries: Binaries, plane: ControlPlane) -> None:
        self.processes = processes
        self.binaries = binaries
        self.plane = plane

    def start(self) -> None:
        """Start them and wait until pods can run."""
        together(self._start_kubelet, self._start_proxy, self._start_dns)
        self.processes.wait("kubelet", self._ready)

    def _ready(self) -> bool:
        condition = '{.status.conditions[?(@.type=="Ready")].status}'
        try:
            return self._kubectl("get", "node", node_config.NODE, "-o", f"jsonpath={condition}") == "True"
        except TestbedError:  # it has not registered yet
            return False

    def _start_kubelet(self) -> None:
        subject = f"/O=system:nodes/CN=system:node:{node_config.NODE}"
        kubeconfig = self.plane.authority.kubeconfig("kubelet", subject, self.plane.server)
        config = machine.RUN / "kubelet.yaml"
        config.write_text(node_config.kubelet_config(self.plane.authority.certificate, ports.pick("kubelet")))
        root = machine.DATA / "kubelet"
        self.processes.start(
            "kubelet",
            [
                self.binaries["kubelet"],
                f"--config={config}",
                f"--kubeconfig={kubeconfig}",
                f"--root-dir={root}",
                f"--cert-dir={root / 'pki'}",
                f"--hostname-override={node_config.NODE}",
                f"--node-ip={machine.BRIDGE_ADDRESS}",
            ],
            # It looks for mount, iptables and the like.
            env={"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin"},
        )

    def _start_proxy(self) -> None:
        kubeconfig = self.plane.authority.kubeconfig("kube-proxy", "/CN=system:kube-proxy", self.plane.server)
        config = machine.RUN / "kube-proxy.yaml"
        health = ports.pick("kube-proxy health")
        config.write_text(node_config.proxy_config(kubeconfig, health, ports.pick("kube-proxy metrics")))
        self.processes.start("kube-proxy", [self.binaries["kube-proxy"], f"--config={config}"])
        self.processes.wait("kube-proxy", lambda: _answers(health, "/healthz"))

    def _start_dns(self) -> None:
        kubeconfig = self.plane.authority.kubeconfig("coredns", "/CN=testbed:coredns", self.plane.server)
        self._kubectl("apply", "-f", "-", stdin=node_config.COREDNS_ROLE)
        config = machine.RUN / "Corefile"
        port = ports.pick("coredns ready")
        write_private(config, node_config.corefile(kubeconfig, port))
        self.processes.start("coredns", [self.binaries["coredns"], "-conf", config])
        self.processes.wait("coredns", lambda: _answers(port, "/ready"))

    def _kubectl(self, *words: str, stdin: str | None = None) -> str:
        return run([self.binaries["kubectl"], "--kubeconfig", self.plane.kubeconfig, *words], stdin=stdin)


def end_pods(processes: Processes) -> None:
    """End kubelet, then what it ran, while containerd can still be asked."""
    processes.stop("kubelet")
    if processes.get("containerd") is not None:
        try:
            Containerd(processes).end_pods()
        except TestbedError:
            # It is being removed: what cannot be done orderly is done by the cleaning that follows.
            return


def _answers(port: int, path: str) -> bool:
    """Whether a part of the node says on its local port that it is well."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()

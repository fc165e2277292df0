"""The real control plane: etcd, kube-apiserver, kube-controller-manager and kube-scheduler."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path

from testbed import ports
from testbed.authority import Authority
from testbed.binaries import Binaries
from testbed.processes import Processes

PODS = "10.244.0.0/16"
SERVICES = "10.96.0.0/16"
# The service "kubernetes" gets the first address of its range. The certificate names it, and the node's bridge too, so that the
# same certificate serves at both levels.
SERVER_NAMES = ",".join(
    [
        *(f"DNS:{name}" for name in ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")),
        "DNS:kubernetes.default.svc.cluster.local",
        *(f"IP:{address}" for address in ("127.0.0.1", "10.96.0.1", "10.244.0.1")),
    ]
)


class ControlPlane:
    """The processes of the control plane; at node level it listens on the bridge's address, which pods reach too."""

    def __init__(self, state: Path, processes: Processes, binaries: Binaries, host: str) -> None:
        self.folder = state / "control-plane"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.processes = processes
        self.binaries = binaries
        self.host = host
        self.authority = Authority(state / "keys")
        self.port = self._port("kube-apiserver")
        self.server = f"https://{host}:{self.port}"
        admin = "/O=system:masters/CN=testbed-admin"
        self.kubeconfig = self.authority.kubeconfig("admin", admin, self.server, state / "kubeconfig")

    def start(self) -> None:
        """Start what does not run yet, the API server always anew: its address may have changed."""
        if self.processes.get("etcd") is None:
            self._start_etcd()
        for name in ("kube-scheduler", "kube-controller-manager", "kube-apiserver"):
            self.processes.stop(name)
        self._start_api_server()
        for name in ("kube-controller-manager", "kube-scheduler"):
            self._start_controller(name)
        # The controllers work when the namespace has what each pod needs.
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        self.processes.wait("kube-controller-manager", lambda: self.answers(account))

    def answers(self, path: str) -> bool:
        """Whether the API server has something at that path."""
        certificate, key = self.authority.sign("admin", "")
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        context.load_cert_chain(certificate, key)
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=5, context=context)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def _start_etcd(self) -> None:
        clients = f"http://127.0.0.1:{self._port('etcd')}"
        peers = f"http://127.0.0.1:{self._port('etcd-peers')}"
        self.processes.start(
            "etcd",
            [
                self.binaries["etcd"],
                "--unsafe-no-fsync",  # a power cut may lose it: it is a testbed
                f"--data-dir={self.folder / 'etcd'}",
                f"--listen-client-urls={clients}",
                f"--advertise-client-urls={clients}",
                f"--listen-peer-urls={peers}",
                f"--initial-advertise-peer-urls={peers}",
                f"--initial-cluster=default={peers}",
                "--log-level=warn",
            ],
        )
        self.processes.wait("etcd", lambda: ports.is_open("127.0.0.1", self._port("etcd")))

    def _start_api_server(self) -> None:
        certificate, key = self.authority.sign("kube-apiserver", "/CN=kube-apiserver", server_names=SERVER_NAMES)
        client, client_key = self.authority.sign("kubelet-client", "/O=system:masters/CN=kube-apiserver")
        accounts = self.authority.signing_key("service-accounts")
        local = self.host.startswith("127.")
        self.processes.start(
            "kube-apiserver",
            [
                self.binaries["kube-apiserver"],
                f"--bind-address={self.host}",
                f"--advertise-address={self.host}",
                f"--secure-port={self.port}",
                f"--etcd-servers=http://127.0.0.1:{self._port('etcd')}",
                f"--service-cluster-ip-range={SERVICES}",
                f"--tls-cert-file={certificate}",
                f"--tls-private-key-file={key}",
                f"--client-ca-file={self.authority.certificate}",
                f"--service-account-key-file={accounts}",
                f"--service-account-signing-key-file={accounts}",
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
                f"--kubelet-client-certificate={client}",
                f"--kubelet-client-key={client_key}",
                "--kubelet-preferred-address-types=InternalIP",  # else `kubectl logs` looks the node's name up
                "--authorization-mode=Node,RBAC",
                "--enable-admission-plugins=NodeRestriction",
                "--allow-privileged=true",
                # Without a node nothing can reach the service, and a loopback address is no valid endpoint.
                f"--endpoint-reconciler-type={'none' if local else 'lease'}",
            ],
        )
        self.processes.wait("kube-apiserver", lambda: self.answers("/readyz"))

    def _start_controller(self, name: str) -> None:
        config = self.authority.kubeconfig(name, f"/CN=system:{name}", self.server)
        args: list[str | Path] = [
            self.binaries[name],
            f"--kubeconfig={config}",
            "--leader-elect=false",
            "--secure-port=0",
        ]
        if name == "kube-controller-manager":
            args += [
                f"--service-account-private-key-file={self.authority.signing_key('service-accounts')}",
                f"--root-ca-file={self.authority.certificate}",
                "--use-service-account-credentials",
                "--allocate-node-cidrs",
                f"--cluster-cidr={PODS}",
                f"--service-cluster-ip-range={SERVICES}",
            ]
        self.processes.start(name, args)

    def _port(self, name: str) -> int:
        file = self.folder / f"{name}.port"
        if not file.exists():
            file.write_text(str(ports.pick(str(file))))
        return int(file.read_text())

"""The settings of the node's parts. Those that this kind of machine asks for say why."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from testbed import machine
from testbed.control_plane import PODS
from testbed.images import PAUSE

NODE = "testbed"
DOMAIN = "cluster.local"

COREDNS_ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "testbed:coredns"}
rules:
- {apiGroups: [""], resources: [services, pods, namespaces], verbs: [list, watch]}
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "testbed:coredns"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "testbed:coredns"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "testbed:coredns"}]
"""


def containerd_config(root: Path) -> str:
    """containerd's: nothing in it is shared with a containerd of the system's."""
    cri = '[plugins."io.containerd.grpc.v1.cri"'
    return f"""
version = 2
root = "{root}"
state = "{machine.RUN}/containerd"
[grpc]
  address = "{machine.SOCKET}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{machine.DATA}/opt"
{cri}]
  sandbox_image = "{PAUSE}"
  # Without CAP_SYS_RESOURCE runc cannot lower the score, and every sandbox would fail.
  restrict_oom_score_adj = true
  # So that unmounting what is below our folder is all it takes to remove them.
  netns_mounts_under_state_dir = true
{cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
{cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
{cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{machine.RUN}/cni"
"""


def network_config() -> str:
    """CNI's: pods on one bridge, whose address is the host's to them."""
    bridge = {
        "type": "bridge",
        "bridge": machine.BRIDGE,
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": machine.BRIDGE_RANGE}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": str(machine.RUN / "addresses"),
        },
    }
    plugins = [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]
    return json.dumps({"cniVersion": "0.4.0", "name": machine.NETWORK, "plugins": plugins}, indent=2)


def kubelet_config(authority: Path, port: int) -> str:
    """kubelet's."""
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": machine.BRIDGE_ADDRESS,
        "port": port,
        "healthzPort": 0,
        "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(authority)}},
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{machine.SOCKET}",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{machine.CGROUP}",
        "oomScoreAdj": 0,  # lowering it needs CAP_SYS_RESOURCE
        "failSwapOn": False,
        "clusterDNS": [machine.BRIDGE_ADDRESS],
        "clusterDomain": DOMAIN,
        "resolvConf": "",  # the host's own is nothing that tests should depend on
        "podLogsDir": str(machine.DATA / "logs"),
        "volumePluginDir": str(machine.DATA / "volume-plugins"),
        # Our images came from no registry: one that is cleared away for space is lost.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": dict.fromkeys(("memory.available", "nodefs.available", "imagefs.available"), "0%"),
        "serializeImagePulls": False,
        "nodeStatusUpdateFrequency": "2s",
    }
    return yaml.safe_dump(settings)


def proxy_config(kubeconfig: Path, health_port: int, metrics_port: int) -> str:
    """kube-proxy's."""
    settings = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "mode": "iptables",
        "clusterCIDR": PODS,
        "hostnameOverride": NODE,
        "conntrack": {"maxPerCore": 0},  # may not be changed here
        "healthzBindAddress": f"127.0.0.1:{health_port}",
        "metricsBindAddress": f"127.0.0.1:{metrics_port}",
    }
    return yaml.safe_dump(settings)


def corefile(kubeconfig: Path, ready_port: int) -> str:
    """CoreDNS's: the cluster's names only."""
    return f"""
.:53 {{
    bind {machine.BRIDGE_ADDRESS}
    errors
    ready 127.0.0.1:{ready_port}
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig}
        ttl 5
    }}
    cache 5
}}
"""

"""The testbed's node runs a pod that finds what it needs: the cluster's DNS, the API server, the broker."""

from __future__ import annotations

from testbed.environment import Environment
from testbed.fixtures import Kubectl

LOOK = """
import socket, sys
print(socket.gethostbyname("kubernetes.default.svc"))
host, port = sys.argv[1].split(":")
for address in ((host, int(port)), ("kubernetes.default.svc", 443)):
    socket.create_connection(address, timeout=10).close()
print("reached")
"""


def test_a_pod_resolves_names_and_reaches_kafka_and_the_api(
    testbed: Environment, kubectl: Kubectl, namespace: str
) -> None:
    """The pod obeys the restricted standard, as all of ours do."""
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    security = '"securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, '
    security += '"runAsNonRoot": true, "readOnlyRootFilesystem": true, "seccompProfile": {"type": "RuntimeDefault"}}'
    spec = f'{{"spec": {{"containers": [{{"name": "look", {security}}}]}}}}'
    overrides = ("--override-type=strategic", f"--overrides={spec}")
    run = ("run", "look", "-n", namespace, "--restart=Never", f"--image={testbed.operator_image}", *overrides)
    kubectl(*run, "--command", "--", "python3", "-c", LOOK, testbed.kafka_bootstrap)
    kubectl("wait", "pod", "look", "-n", namespace, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    assert kubectl("logs", "look", "-n", namespace).splitlines() == ["10.96.0.1", "reached"]

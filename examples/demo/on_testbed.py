"""The testbed as the place of the demo: started if it does not run, and ended only then."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from demo.settings import Settings
from demo.steps import Steps
from testbed import commands, paths, usage
from testbed.errors import TestbedError


@contextmanager
def settings(steps: Steps, *, keep: bool) -> Iterator[Settings]:
    """Use the testbed as long as the context lasts."""
    with steps.step("A Kafka, a Kubernetes and the images: the testbed", look="kubectl get nodes"):
        steps.say("The first time this builds Kubernetes and two images, which takes minutes; after that, seconds.")
        try:
            use = usage.use("node")
        except TestbedError as error:
            steps.fail(str(error))
            sys.exit(1)
        except commands.AbandonedError:
            raise KeyboardInterrupt from None
    try:
        found = use.environment
        env = paths.state() / "env"
        yield Settings(
            kubectl=str(found.kubectl),
            helm=str(found.helm),
            kubectl_flags=("--kubeconfig", str(found.kubeconfig)),
            helm_flags=("--kubeconfig", str(found.kubeconfig)),
            kafka_bootstrap=found.kafka_bootstrap,
            kafka_admin_config=found.kafka_admin_config,
            operator_image=found.operator_image,
            job_image=found.job_image,
            science=found.science_dir,
            hint=f'set -a; . {env}; set +a; alias kubectl="$KUBECTL" helm="$HELM"',
        )
    finally:
        if keep:
            use.bed.keep()
        use.release()

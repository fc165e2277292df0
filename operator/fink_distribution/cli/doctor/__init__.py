"""`fink doctor`: what is there, what is not, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from fink_distribution.cli.doctor import kafka, kubernetes, machine
from fink_distribution.cli.doctor.findings import Area, Finding, ills
from fink_distribution.cli.fink_kafka.output import list_output, print_table, say, show
from fink_distribution.cli.fink_kafka.reaching import config_path
from fink_distribution.cli.progress import Progress
from fink_distribution.cli.reaching_kafka import kafka_options
from fink_distribution.cli.start.preparing import config_option

_SICK = 1
_EPILOG = """\b
Examples:
  fink doctor
  fink doctor --only kafka --command-config admin.properties
  fink doctor --only kubernetes -n ztf -o json

\b
Exit status:
  0  all is well; what is not set up at all is no illness, unless --only asks for it
  1  something is not as it should be; the lines say how to mend it
  2  an option is wrong
"""


@click.command(epilog=_EPILOG, short_help="Checks Python, Java, Kafka and Kubernetes.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([area.value for area in Area]),
    help="Check only this; it has to be there then. May be given more than once.",
)
@click.option("-n", "--namespace", default="default", show_default=True, help="The namespace whose rights are checked.")
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False), help="Instead of $KUBECONFIG or ~/.kube/config."
)
@list_output
@config_option
@kafka_options
def doctor(
    only: Sequence[str],
    namespace: str,
    kubeconfig: str | None,
    output: str,
    config_file: Path | None,
    command_config: str | None,
    bootstrap_server: str | None,
    timeout: float,
) -> None:
    """Check what this machine has for the distribution, and whether it reaches Kafka and Kubernetes, and may do there what is needed.

    Kafka is the one that --command-config or --bootstrap-server names; else that of the configuration, where producer and consumer are checked
    too. Nothing is changed anywhere.
    """
    file = config_path(config_file)
    looks: dict[Area, Callable[[], list[Finding]]] = {
        Area.PYTHON: machine.packages,
        Area.JAVA: machine.java,
        Area.KAFKA: lambda: kafka.look(command_config, bootstrap_server, file, timeout),
        Area.KUBERNETES: lambda: kubernetes.look(kubeconfig, namespace, timeout),
    }
    found: list[Finding] = []
    with Progress() as progress:
        for area, look in looks.items():
            if not only or area in only:
                progress.say(f"looking at {area}")
                found += look()
    wrong = ills(found, must_be_there=bool(only))
    show([each.as_data() for each in found], output, lambda: _print(found, len(wrong)))
    if wrong:
        click.get_current_context().exit(_SICK)


def _print(found: Sequence[Finding], wrong: int) -> None:
    print_table(("STATE", "AREA", "WHAT", "FOUND"), [(each.state, each.area, each.what, each.found) for each in found])
    say("")
    for each in found:
        if each.mend:
            say(f"{each.what} is {each.state}: {each.mend}")
    say(f"{wrong} to be mended." if wrong else "All is well.")

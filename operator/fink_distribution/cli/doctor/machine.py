"""What this machine has: Python's packages, and Java."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata

from fink_distribution.cli.doctor.findings import Area, Finding, State
from fink_distribution.local_jobs.programs import INSTALL
from fink_distribution.local_kafka.errors import ToolError
from fink_distribution.local_kafka.java import look_for_java

_DISTRIBUTION = "fink-distribution"
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?(?:==(?P<pin>[^;,\s]+))?")
_JOBS = re.compile(r"""extra\s*==\s*["']jobs["']""")


def packages() -> list[Finding]:
    """Look at the packages of the operator and of the jobs."""
    own = metadata.version(_DISTRIBUTION)
    found = Finding(Area.PYTHON, _DISTRIBUTION, State.OK, f"{own}, Python {platform.python_version()}")
    return [found, *judged(metadata.requires(_DISTRIBUTION) or (), _installed)]


def judged(requirements: Iterable[str], installed: Callable[[str], str | None]) -> Iterator[Finding]:
    """Hold what is installed against what the package asks for.

    Parameters
    ----------
    requirements
        As the package's metadata have them.
    installed
        Gives the version of a package, or None.
    """
    asked = list(requirements)
    needed = [each for each in asked if "extra ==" not in each]
    jobs = [each for each in asked if _JOBS.search(each)]
    yield from _one(needed, installed, "packages of the commands", "pip install .", may_be_absent=False)
    yield from _one(jobs, installed, "packages of the jobs", INSTALL, may_be_absent=True)


def _one(
    requirements: list[str], installed: Callable[[str], str | None], what: str, command: str, *, may_be_absent: bool
) -> Iterator[Finding]:
    versions, missing, other = [], [], []
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        assert match is not None  # noqa: S101 - pip has read it
        name, pin = match["name"], match["pin"]
        version = installed(name)
        if version is None:
            missing.append(name)
            continue
        versions.append(f"{name} {version}")
        if pin is not None and version != pin:
            other.append(f"{name} is {version} and has to be {pin}")
    # Some of the jobs' packages are the commands' own.
    if may_be_absent and "pyspark" in missing and "slack-sdk" in missing:
        yield Finding(
            Area.PYTHON, what, State.ABSENT, "pyspark is not installed", f"{command} (only fink start needs them)"
        )
    elif missing or other:
        wrong = [*other, *(f"{name} is missing" for name in missing)]
        yield Finding(Area.PYTHON, what, State.BAD, "; ".join(wrong), command)
    else:
        yield Finding(Area.PYTHON, what, State.OK, ", ".join(versions))


def java() -> list[Finding]:
    """Look for a Java that Kafka and Spark can use."""
    try:
        program, version = look_for_java()
    except ToolError as error:
        what, _, mend = str(error).partition(". ")
        return [Finding(Area.JAVA, "java", State.BAD, what, mend)]
    return [Finding(Area.JAVA, "java", State.OK, f"Java {version}: {program}")]


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None

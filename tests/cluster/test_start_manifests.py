"""What `fink start distribution -o yaml` prints passes all checks of a real API server, those in CEL too."""

from __future__ import annotations

from pathlib import Path

import pytest

from fink_command import fink
from fink_distribution.local_kafka.configuration import generate
from testbed.fixtures import Kubectl


@pytest.mark.usefixtures("crds")
@pytest.mark.parametrize(
    "lines",
    [
        "",
        "DISTRIBUTION_FILTER=\"cdsxmatch = 'Unknown'\"\nDISTRIBUTION_OFFSET=1769896800123\nDISTRIBUTION_COLUMNS=candid,objectId\n",
        "DISTRIBUTION_OFFSET=latest\nDISTRIBUTION_DROP_COLUMNS=cutoutScience\nDISTRIBUTION_INTERVAL=0\n",
    ],
    ids=["as made", "chosen", "latest"],
)
def test_the_api_server_takes_the_manifests(kubectl: Kubectl, namespace: str, tmp_path: Path, lines: str) -> None:
    file = tmp_path / "fink.conf"
    generate(file, 1)
    file.write_text(file.read_text() + lines)
    done = fink("start", "distribution", "-o", "yaml", "-n", namespace, FINK_HOME=str(tmp_path))
    assert done.status == 0, done.err
    taken = kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=done.out)
    assert taken.splitlines() == [
        "alerttopic.distribution.fink-broker.org/fink-outstream created (server dry run)",
        "distributionstream.distribution.fink-broker.org/distribution created (server dry run)",
    ]

"""Waiting until the brokers of the local cluster answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from fink_distribution.errors import Reason, ReconcileError
from fink_distribution.kafka.admin import ClusterFacts, KafkaAdmin
from fink_distribution.local_kafka.cluster import Broker
from fink_distribution.local_kafka.errors import LocalKafkaError
from fink_distribution.local_kafka.processes import tail

_LOOK_EVERY_SECONDS = 0.1
_CONNECT_SECONDS = 1.0
_WRONG_ADMIN = "they refuse the administrator's login; name and password have to be those of the first start"


async def ready(admin: KafkaAdmin, servers: Sequence[str], started: Sequence[Broker], seconds: float) -> ClusterFacts:
    """Wait until the administrator can log in and is told of all brokers.

    Parameters
    ----------
    servers
        `host:port` of each broker.
    started
        Those brokers whose end ends the waiting.

    Raises
    ------
    LocalKafkaError
        A broker has ended, or they do not answer in time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    last = "nothing listens there"
    while loop.time() < deadline:
        for broker in started:
            if broker.process() is None:
                raise LocalKafkaError(f"broker {broker.number} ended before it answered.\n{tail(broker.log)}")
        if all(map(_listens, servers)):
            try:
                facts = await admin.facts()
            except ReconcileError as error:
                last = _WRONG_ADMIN if error.reason is Reason.AUTHENTICATION_FAILED else error.reason
            else:
                if facts.brokers >= len(servers):
                    return facts
                last = f"{facts.brokers} of {len(servers)} brokers are there"
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
    tails = "\n".join(tail(broker.log) for broker in started[:1])
    raise LocalKafkaError(
        f"the brokers at {', '.join(servers)} did not answer in {seconds:.0f} s: {last}.\n{tails}".rstrip()
    )


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False

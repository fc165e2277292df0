"""fink-client as it is published, as an astronomer uses it: register once, then poll.

A program of its own, because fink-client keeps its registration below $HOME, which it reads when it is imported. It takes
{survey, secret, topic, count, column} as JSON on standard input and prints the alerts' ids.
"""

from __future__ import annotations

import json
import sys

from fink_client.configuration import add_topic, load_credentials, write_credentials
from fink_client.consumer import AlertConsumer

POLL_SECONDS = 30


def main() -> None:
    """Register with a Secret's content, subscribe, read so many alerts."""
    asked = json.load(sys.stdin)
    secret, survey = asked["secret"], asked["survey"]
    registration = {
        "survey": survey,
        "username": secret["username"],
        "password": secret["password"],
        "groupid": f"{secret['username']}-fink-client",
        "servers": secret["bootstrap.servers"],
        "maxtimeout": POLL_SECONDS,
    }
    write_credentials(registration)
    add_topic(survey, asked["topic"])
    known = load_credentials(survey)
    config = {
        "username": known["username"],
        "password": known["password"],
        "bootstrap.servers": known["servers"],
        "group.id": known["groupid"],
    }
    consumer = AlertConsumer(list(known["topics"]), config, survey)
    found = []
    try:
        while len(found) < asked["count"]:
            topic, alert, _ = consumer.poll(timeout=known["maxtimeout"])
            if topic is None:
                sys.exit(f"fink-client read {len(found)} of {asked['count']} alerts, then none in {POLL_SECONDS} s")
            found.append(alert[asked["column"]])
    finally:
        consumer.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()

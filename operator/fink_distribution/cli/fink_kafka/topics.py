"""The services about topics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from fink_distribution.cli.fink_kafka.declaring import manifest_options, print_manifest, topic_manifest
from fink_distribution.cli.fink_kafka.exits import EXIT_STATUS, Exit, Problem
from fink_distribution.cli.fink_kafka.grammar import Service
from fink_distribution.cli.fink_kafka.output import done, list_output, print_table, say, show
from fink_distribution.cli.fink_kafka.reaching import Where, where_options

if TYPE_CHECKING:
    from fink_distribution.kafka.topics import DescribedTopic

_AT_LEAST_ONE = click.IntRange(min=1)


@click.command(
    "--create-topic", cls=Service, epilog=EXIT_STATUS, short_help="Creates a topic if it does not already exist."
)
@click.argument("topic")
@click.option(
    "--partitions", type=_AT_LEAST_ONE, metavar="N", help="How many partitions; the brokers' default unless given."
)
@click.option(
    "--replication-factor", type=_AT_LEAST_ONE, metavar="N", help="How many copies; the brokers' default unless given."
)
@manifest_options
@where_options
def create_topic(
    topic: str,
    partitions: int | None,
    replication_factor: int | None,
    output: str | None,
    namespace: str | None,
    where: Where,
) -> None:
    """Create a topic named TOPIC if it does not already exist; one that exists is left as it is."""
    from fink_distribution.cli.fink_kafka import changes

    manifest = topic_manifest(topic, partitions, replication_factor, namespace)
    if output is not None:
        print_manifest(manifest)
        return
    with where.open() as kafka:
        found, is_new = kafka.run(lambda admin: changes.create_topic(admin, manifest))
    size = f"{found.partitions} partition(s), {found.replication_factor} replica(s)"
    done(
        f"Topic {topic} created: {size}."
        if is_new
        else f"Topic {topic} exists already, with {size}; it is left as it is."
    )


@click.command(
    "--delete-topic", cls=Service, epilog=EXIT_STATUS, short_help="Deletes an existing topic with all its messages."
)
@click.argument("topic")
@where_options
def delete_topic(topic: str, where: Where) -> None:
    """Delete the topic TOPIC with all its messages."""
    from fink_distribution.cli.fink_kafka import changes

    with where.open() as kafka:
        if not kafka.run(lambda admin: changes.delete_topic(admin, topic)):
            raise _no_topic(topic, kafka.servers)
    done(f"Topic {topic} deleted.")


@click.command("--describe-topic", cls=Service, epilog=EXIT_STATUS, short_help="Shows the details of a topic.")
@click.argument("topic")
@list_output
@where_options
def describe_topic(topic: str, output: str, where: Where) -> None:
    """Show partitions, replicas and configuration of the topic TOPIC."""
    from fink_distribution.kafka import topics

    with where.open() as kafka:
        found = kafka.run(lambda admin: topics.describe(admin, topic))
        if found is None:
            raise _no_topic(topic, kafka.servers)
    data = {
        "name": topic,
        "topicId": found.topic.topic_id,
        "replicationFactor": found.topic.replication_factor,
        "config": dict(sorted(found.topic.config.items())),
        "partitions": [
            {
                "partition": each.number,
                "leader": each.leader,
                "replicas": list(each.replicas),
                "inSync": list(each.in_sync),
            }
            for each in found.partitions
        ],
    }
    show(data, output, lambda: _print_topic(found))


def _print_topic(found: DescribedTopic) -> None:
    say(f"Topic {found.topic.name}, id {found.topic.topic_id}")
    for key, value in sorted(found.topic.config.items()):
        say(f"  {key}={value}")
    rows = [
        (each.number, "none" if each.leader is None else each.leader, _joined(each.replicas), _joined(each.in_sync))
        for each in found.partitions
    ]
    print_table(("PARTITION", "LEADER", "REPLICAS", "IN SYNC"), rows)


@click.command("--list-topics", cls=Service, epilog=EXIT_STATUS, short_help="Lists all the topics.")
@list_output
@where_options
def list_topics(output: str, where: Where) -> None:
    """List all topics but Kafka's own, whose names begin with two underscores."""
    from fink_distribution.kafka import topics
    from fink_distribution.kafka.admin import KafkaAdmin
    from fink_distribution.plans.topics import ObservedTopic

    async def look(admin: KafkaAdmin) -> list[ObservedTopic]:
        names = [name for name in await admin.topic_names() if not name.startswith("__")]
        return sorted((await topics.observe(admin, names)).values(), key=lambda topic: topic.name)

    with where.open() as kafka:
        found = kafka.run(look)
    data = [
        {"name": each.name, "partitions": each.partitions, "replicationFactor": each.replication_factor}
        for each in found
    ]
    show(
        data, output, lambda: print_table(("TOPIC", "PARTITIONS", "REPLICAS"), [tuple(each.values()) for each in data])
    )


def _joined(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


def _no_topic(topic: str, servers: str) -> Problem:
    return Problem(
        Exit.NOT_THERE, f"There is no topic {topic} at {servers}. fink_kafka --list-topics shows those that are there."
    )

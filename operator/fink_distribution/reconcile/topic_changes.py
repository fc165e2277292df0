"""The changes of a topic, made one after the other: what Kafka refuses keeps nothing else back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from fink_distribution.errors import Reason, Stalled, Waiting
from fink_distribution.kafka import reassignments, topic_trials, topics
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.plans.topic_config import about_unknown_keys, unknown_keys
from fink_distribution.plans.topics import (
    AddPartitions,
    Adopt,
    AlterConfig,
    ChangeReplicas,
    CreateTopic,
    ObservedTopic,
    TopicChange,
)

_VISIBLE_AFTER_SECONDS = 5.0
_LOOK_EVERY_SECONDS = 0.05


async def make(
    admin: KafkaAdmin, changes: Sequence[TopicChange], note: Callable[[TopicChange], None]
) -> tuple[list[Stalled], ObservedTopic | None]:
    """Make changes in their order; return why some were refused, and the topic if it was created.

    Parameters
    ----------
    note
        Told of each change before it is made.

    Raises
    ------
    Waiting
        Kafka does not answer; what has been made until then stays.
    """
    refused: list[Stalled] = []
    created = None
    for change in changes:
        note(change)
        try:
            if isinstance(change, CreateTopic):
                created = await topics.create(admin, change)
            else:
                await _make_one(admin, change)
        except Stalled as error:
            refused += await _why(admin, change, error)
    return refused, created


async def _make_one(admin: KafkaAdmin, change: TopicChange) -> None:
    match change:
        case AddPartitions():
            await topics.add_partitions(admin, change)
        case AlterConfig():
            await topics.alter_config(admin, change)
        case ChangeReplicas():
            await reassignments.begin(admin, change)
        case Adopt():
            pass


async def _why(admin: KafkaAdmin, change: TopicChange, error: Stalled) -> list[Stalled]:
    """Make of a refused change what can be made; return what cannot, and why."""
    if error.reason is not Reason.INVALID_CONFIG:
        return [error]
    if isinstance(change, CreateTopic):
        return [await about_new_topic(admin, change, error)]
    parts = change.by_key() if isinstance(change, AlterConfig) else ()
    if len(parts) < 2:
        return [error]
    refused = []
    for part in parts:
        try:
            await _make_one(admin, part)
        except Stalled as own_error:
            refused.append(own_error)
    return refused


async def about_new_topic(admin: KafkaAdmin, change: CreateTopic, error: Stalled) -> Stalled:
    """Return why a topic is not created, naming the keys that were perhaps meant when the brokers do not know one."""
    text = f"{error.message} Topic {change.name} is not created."
    if change.config:
        known = await topic_trials.known_keys(admin)
        if unknown := unknown_keys(change.config, known):
            text = f"{about_unknown_keys(unknown, known)} {text}"
    return Stalled(error.reason, text)


async def shown(admin: KafkaAdmin, name: str, changes: Sequence[TopicChange]) -> ObservedTopic | None:
    """Describe a topic that has been changed. A broker may show the state of before for a moment, so it is asked again."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _VISIBLE_AFTER_SECONDS
    total = max((change.total for change in changes if isinstance(change, AddPartitions)), default=0)
    while True:
        observed = await topics.observe_one(admin, name)
        if observed is None or observed.partitions >= total:
            return observed
        if loop.time() > deadline:
            raise Waiting(
                Reason.PROGRESSING, f"the brokers do not show all {total} partitions of topic {name} yet.", 1.0
            )
        await asyncio.sleep(_LOOK_EVERY_SECONDS)

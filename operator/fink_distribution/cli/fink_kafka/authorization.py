"""`fink_kafka --authorization` and `--list-acl`: who may do what."""

from __future__ import annotations

import click

from fink_distribution.cli.fink_kafka.declaring import (
    acl_manifest,
    bindings,
    manifest_options,
    print_manifest,
    refuse_yaml_of_removal,
)
from fink_distribution.cli.fink_kafka.exits import EXIT_STATUS, Exit, Problem, missing, refuse_both
from fink_distribution.cli.fink_kafka.grammar import Service
from fink_distribution.cli.fink_kafka.output import done, list_output, print_table, say, show, warn
from fink_distribution.cli.fink_kafka.reaching import Where, where_options
from fink_distribution.resources.kafka_user import principal

_EPILOG = f"""\b
Examples:
  fink_kafka --authorization -a -u community -c community -t fink_outstream     may read the topic as this group
  fink_kafka --authorization -a -u publisher -p -t fink_outstream               may publish to it
  fink_kafka --authorization -d -u publisher -p -t fink_outstream
  fink_kafka --authorization -a -u community -c community -t fink_outstream -o yaml

\b
What is given is what Kafka's own kafka-acls gives:
  -c  Read and Describe on the topic, Read on the group (--consumer)
  -p  Write, Describe and Create on the topic (--producer)
-d takes exactly this away, also where another line of yours has given it too: Describe on a topic, Read on a group.

{EXIT_STATUS}"""


@click.command("--authorization", cls=Service, epilog=_EPILOG, short_help="Adds and deletes permissions of users.")
@click.option("-a", "add", is_flag=True, help="Add ACL.")
@click.option("-d", "delete", is_flag=True, help="Delete/remove ACL.")
@click.option("-u", "user", metavar="USER", help="Username (principal).")
@click.option(
    "-H",
    "host",
    metavar="HOST",
    help="IP address from which the principal has access (a host name is not supported); any unless given.",
)
@click.option("-c", "group", metavar="GROUP", help="Give access rights for a consumer of this consumer group.")
@click.option("-p", "produces", is_flag=True, help="Give access rights for a producer.")
@click.option("-t", "topics", metavar="TOPIC", multiple=True, help="Topic; may be given more than once.")
@manifest_options
@where_options
def authorization(
    add: bool,
    delete: bool,
    user: str | None,
    host: str | None,
    group: str | None,
    produces: bool,
    topics: tuple[str, ...],
    output: str | None,
    namespace: str | None,
    where: Where,
) -> None:
    """Add or delete ACLs for authorization: for a consumer (-c), a producer (-p), or both."""
    refuse_both(add, delete)
    if not add and not delete:
        raise missing("-a or -d is missing: add or delete?")
    if not user:
        raise missing("-u is missing: whose permissions?")
    if group is None and not produces:
        raise missing("-c GROUP or -p is missing: is it a consumer, a producer or both?")
    if not topics:
        raise missing("-t is missing: which topic?")
    manifest = acl_manifest(user, topics, group, produces=produces, host=host, namespace=namespace)
    if delete:
        refuse_yaml_of_removal(output, "-d", f"kafkaacl {manifest['metadata']['name']}")
    if output is not None:
        print_manifest(manifest)
        return
    from fink_distribution.cli.fink_kafka import changes

    with where.open() as kafka:
        change = changes.revoke if delete else changes.grant
        plan = kafka.run(lambda admin: change(admin, principal(user), bindings(manifest)))
        if delete and not plan:
            raise Problem(
                Exit.NOT_THERE,
                f"{principal(user)} has none of these permissions at {kafka.servers}; nothing was deleted.",
            )
    if not plan:
        done(f"{principal(user)} has all of these permissions already.")
    for line in plan.lines():
        done(f"{principal(user)}: {line}")


@click.command("--list-acl", cls=Service, epilog=EXIT_STATUS, short_help="Lists the current ACL.")
@list_output
@where_options
def list_acl(output: str, where: Where) -> None:
    """List who may do what, and what is forbidden; nothing is allowed to others, but all to the brokers' super users."""
    from fink_distribution.kafka import inventory

    with where.open() as kafka:
        found, foreign = kafka.run(inventory.all_acls)
    data = [
        {
            "principal": who,
            "permission": each.permission,
            "operation": each.operation,
            "resourceType": each.resource_type,
            "resourceName": each.resource_name,
            "patternType": each.pattern_type,
            "host": each.host,
        }
        for who, own in sorted(found.items())
        for each in sorted(own)
    ]
    columns = ("PRINCIPAL", "PERMISSION", "OPERATION", "RESOURCE", "NAME", "PATTERN", "HOST")
    show(data, output, lambda: print_table(columns, [tuple(each.values()) for each in data]))
    if not data and output == "table":
        say("There is none.")
    for other in foreign:
        warn(f"{other} cannot be shown: this program does not know their type.")

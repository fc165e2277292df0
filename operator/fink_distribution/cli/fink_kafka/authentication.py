"""`fink_kafka --authentication`: users and their passwords."""

from __future__ import annotations

from pathlib import Path

import click

from fink_distribution.cli.fink_kafka.declaring import (
    manifest_options,
    password_secret,
    print_manifest,
    refuse_yaml_of_removal,
    user_manifest,
)
from fink_distribution.cli.fink_kafka.exits import EXIT_STATUS, Exit, Problem, contradiction, missing, refuse_both
from fink_distribution.cli.fink_kafka.grammar import Service
from fink_distribution.cli.fink_kafka.output import done, say
from fink_distribution.cli.fink_kafka.passwords import chosen_password
from fink_distribution.cli.fink_kafka.reaching import Where, config_path, read_configuration, where_options

_EPILOG = f"""\b
Examples:
  fink_kafka --authentication -u community                         asks for the password
  fink_kafka --authentication -u community --password-file FILE
  pass fink/community | fink_kafka --authentication -u community -p -
  fink_kafka --authentication -d -u community
  fink_kafka --authentication -u community -o yaml                 the KafkaUser that does the same

{EXIT_STATUS}"""


@click.command("--authentication", cls=Service, epilog=_EPILOG, short_help="Adds and deletes the credentials of users.")
@click.option("-a", "add", is_flag=True, help="Add user's credentials, or replace them (default).")
@click.option("-d", "delete", is_flag=True, help="Delete user's credentials.")
@click.option("-u", "user", metavar="USER", help="Username.")
@click.option(
    "-p",
    "password",
    metavar="PASSWORD",
    help="Password, which others can then read in the process list; - reads it from standard input. Without it you are asked. Not "
    "required for delete.",
)
@click.option("--password-file", type=click.Path(path_type=Path), metavar="FILE", help="A file with the password.")
@manifest_options
@where_options
def authentication(
    add: bool,
    delete: bool,
    user: str | None,
    password: str | None,
    password_file: Path | None,
    output: str | None,
    namespace: str | None,
    where: Where,
) -> None:
    """Add or delete credentials for a user's authentication (SASL/SCRAM-SHA-512)."""
    refuse_both(add, delete)
    if not user:
        raise missing("-u is missing: whose credentials?")
    if delete:
        refuse_yaml_of_removal(output, "-d", f"kafkauser {user}")
        _delete(user, where)
        return
    if output is not None:
        _print(user, namespace, is_brought=password is not None or password_file is not None)
        return
    _add(user, password, password_file, where)


def _add(user: str, argument: str | None, file: Path | None, where: Where) -> None:
    from fink_distribution.cli.fink_kafka import changes

    manifest = user_manifest(user)
    _refuse_configured(user, where)
    password = chosen_password(argument, file, user)
    with where.open() as kafka:
        before = kafka.run(lambda admin: changes.write_user(admin, manifest, password))
    done(f"User {user}: SCRAM-SHA-512 credential {'replaced' if before else 'added'}.")
    for mechanism in sorted(set(before) - {"SCRAM-SHA-512"}):
        say(f"Its {mechanism} credential, with an older password, has been deleted.")


def _delete(user: str, where: Where) -> None:
    from fink_distribution.cli.fink_kafka import changes

    _refuse_configured(user, where)
    with where.open() as kafka:
        before, left = kafka.run(lambda admin: changes.delete_user(admin, user))
        if not before:
            raise Problem(Exit.NOT_THERE, f"There is no user {user} at {kafka.servers}.")
    done(f"User {user}: {' and '.join(sorted(before))} credential deleted.")
    if left:
        say(
            f"{len(left)} permission(s) of {user} stay: see fink_kafka --list-acl, and delete them with --authorization -d."
        )


def _print(user: str, namespace: str | None, *, is_brought: bool) -> None:
    secret = password_secret(user)
    remarks = (
        [f"Its password: kubectl create secret generic {secret} --from-file=password=FILE"]
        if is_brought
        else ["The operator makes the password, and puts it into the Secret of this name."]
    )
    print_manifest(user_manifest(user, is_brought=is_brought, namespace=namespace), remarks)


def _refuse_configured(user: str, where: Where) -> None:
    """Refuse to change the accounts of the local cluster that its configuration file holds: they would come back at the next start."""
    if not where.is_local or not config_path(where.config_file).exists():
        return
    configuration = read_configuration(where.config_file)
    for role, account in configuration.accounts.items():
        if account.user == user:
            advice = (
                "the brokers log in as this user, so it cannot be changed while their data stay."
                if role == "admin"
                else "change its password there, and run fink_kafka start."
            )
            raise contradiction(f"User {user} is the {role} of {configuration.file}: {advice}")

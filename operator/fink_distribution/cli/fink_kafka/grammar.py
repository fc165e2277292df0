"""Command lines in which a service is spelt as an option: `fink_kafka --create-topic fink_outstream`."""

from __future__ import annotations

import difflib
from typing import Any

import click

from fink_distribution.cli.fink_kafka.exits import contradiction, statuses


class Service(click.Command):
    """One service, with its own options and its own help."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the options."""
        with statuses():
            return super().make_context(*args, **kwargs)


class Services(click.Group):
    """Commands whose names may begin with "--"; such a one may stand anywhere among its options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the service, and hand all else to it."""
        at = self._service_at(args)
        if at is not None:
            name, equals, value = args[at].partition("=")
            # After "--" click takes nothing for an option of the group.
            return super().parse_args(ctx, ["--", name, *([value] if equals else []), *args[:at], *args[at + 1 :]])
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            near = difflib.get_close_matches(error.option_name, self.commands)
            raise click.NoSuchOption(error.option_name, possibilities=near, ctx=ctx) from None

    def _service_at(self, args: list[str]) -> int | None:
        spelt = [
            index
            for index, word in enumerate(args)
            if word.startswith("--") and word.partition("=")[0] in self.commands
        ]
        names = list(dict.fromkeys(args[index].partition("=")[0] for index in spelt))
        if len(names) > 1:
            raise contradiction(f"{' and '.join(names)} stand together; give one at a time.")
        if spelt:
            return spelt[0]
        taking = self._options_with_values()
        words = (index for index, word in enumerate(args) if word in self.commands)
        return next((index for index in words if index == 0 or args[index - 1] not in taking), None)

    def _options_with_values(self) -> set[str]:
        options = (option for command in self.commands.values() for option in command.params)
        return {
            name
            for option in options
            if isinstance(option, click.Option) and not option.is_flag
            for name in option.opts
        }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the services in the order in which they were added."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the services with what they take."""
        rows = []
        for name, command in self.commands.items():
            arguments = [each.make_metavar(ctx) for each in command.params if isinstance(each, click.Argument)]
            rows.append((" ".join([name, *arguments]), command.get_short_help_str()))
        with formatter.section("Services"):
            formatter.write_dl(rows)

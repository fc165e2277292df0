"""What the commands for pipelines have in common: their exit statuses, also when they are called wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import click


class Exit(IntEnum):
    """The exit status, as with terraform plan -detailed-exitcode."""

    NOTHING_TO_DO = 0
    ERROR = 1
    CHANGES = 2


@contextmanager
def _misuse_is_an_error() -> Iterator[None]:
    """End with 1 when called wrongly: click's own 2 would look like a plan with changes."""
    try:
        yield
    except click.UsageError as error:
        error.exit_code = Exit.ERROR  # type: ignore[misc]  # the only way that click leaves
        raise


class PipelineCommand(click.Command):
    """A command whose exit status 2 means changes."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments."""
        with _misuse_is_an_error():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _misuse_is_an_error():
            return super().invoke(ctx)


class PipelineGroup(click.Group):
    """A group with such commands."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments before the command's name."""
        with _misuse_is_an_error():
            return super().make_context(*args, **kwargs)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command."""
        with _misuse_is_an_error():
            return super().resolve_command(ctx, args)

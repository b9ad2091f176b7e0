# SPDX-License-Identifier: BSD-2-Clause

"""The command line: its commands register through the entry points `dualgate.commands`."""

import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NoReturn

import click

from ..contract.errors import DualgateError, MissingToolError

INTERRUPTED = 130


class _Missing(click.Command):
    """Stands for a command whose package is not installed; the others work all the same."""

    def __init__(self, name: str, error: ImportError) -> None:
        super().__init__(name, short_help=f"not available: {error}", add_help_option=False)
        self._error = error
        self.ignore_unknown_options = True
        self.allow_extra_args = True

    def invoke(self, ctx: click.Context) -> NoReturn:
        raise MissingToolError(
            f"command {self.name} is not available: {self._error}; see dualgate doctor"
        )


class Commands(click.Group):
    """A group that loads a command when it is asked for, and ends every error in one line."""

    def _entries(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in entry_points(group="dualgate.commands")}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._entries())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries().get(cmd_name)
        if entry is None:
            return None
        try:
            command: click.Command = entry.load()
        except ImportError as error:
            return _Missing(cmd_name, error)
        return command

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> NoReturn:
        """Run and leave: status 0, a `DualgateError`'s own, 2 for wrong usage, 130 interrupted."""
        try:
            status = super().main(args, *rest, **{**extra, "standalone_mode": False})
            sys.exit(status if isinstance(status, int) else 0)
        except DualgateError as error:
            _fail(str(error), error.exit_status)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            sys.exit(0)
        except click.ClickException as error:
            _fail(error.format_message(), error.exit_code)
        except click.Abort:
            _fail("interrupted", INTERRUPTED)


def _fail(message: str, status: int) -> NoReturn:
    click.echo("error: " + " ".join(message.split()), err=True)
    sys.exit(status)


@click.command(cls=Commands)
@click.version_option(package_name="dualgate")
def main() -> None:
    """Train neural networks on hardware that pays only for the gradients it keeps."""

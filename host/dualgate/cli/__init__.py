# SPDX-License-Identifier: BSD-2-Clause

"""The command line: its commands register through the entry points `dualgate.commands`."""

import ast
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import click

from ..contract.errors import DualgateError, MissingToolError
from ..contract.names import unknown
from .interruption import Interrupted, interruptible


class _Missing(click.Command):
    """A stand-in for a command whose package is not installed, so that the others still work."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(
            name, short_help=f"not available: {printable(str(error))}", add_help_option=False
        )
        self._error = error
        self.ignore_unknown_options = True
        self.allow_extra_args = True

    def invoke(self, ctx: click.Context) -> NoReturn:
        raise MissingToolError(
            f"command {self.name} is not available: {self._error}; see dualgate doctor"
        )


def written_help(entry: EntryPoint) -> str | None:
    """Read a command's docstring from its source, without importing the module.

    Returns
    -------
    str or None
        None unless the module is a source file that defines the command as a function.
    """
    try:
        spec = find_spec(entry.module)
    except ImportError:
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    functions = (
        node
        for node in ast.parse(Path(spec.origin).read_bytes()).body
        if isinstance(node, ast.FunctionDef) and node.name == entry.attr
    )
    return next(map(ast.get_docstring, functions), None)


class Commands(click.Group):
    """A group that imports a command only to run it, and reports every error in one line."""

    def _entries(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in entry_points(group="dualgate.commands")}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._entries())

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say which was perhaps meant."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            ctx.fail(unknown("command", name, self.list_commands(ctx)))
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries().get(cmd_name.lower())
        if entry is None:
            return None
        try:
            command: click.Command = entry.load()
        except Exception as error:  # a package of somebody else's may fail in any way
            return _Missing(cmd_name, error)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List each command with the first sentence of its docstring."""
        entries = self._entries()
        width = formatter.width - 6 - max(map(len, entries), default=0)
        rows = [(name, self._listed(ctx, entries[name], width)) for name in sorted(entries)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _listed(self, ctx: click.Context, entry: EntryPoint, width: int) -> str:
        if text := written_help(entry):
            return click.Command(entry.name, help=text).get_short_help_str(width)
        command = self.get_command(ctx, entry.name)
        return command.get_short_help_str(width) if command else ""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a signal ends it in one line."""
        with interruptible():
            return super().invoke(ctx)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> NoReturn:
        """Run a command and exit.

        The status is 0 for success, the error's own for a `DualgateError`, 2 for wrong usage, and
        130 or 143 for an interruption by SIGINT or SIGTERM.
        """
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
        except click.Abort:  # before the command was known
            interrupted = Interrupted(signal.SIGINT)
            _fail(str(interrupted), interrupted.exit_status)
        except OSError as error:
            _fail(_reason(error), DualgateError.exit_status)


def printable(text: str) -> str:
    """Return a text in one line in which a control character is written as an escape.

    Names of files, classes and columns come from outside, and some characters control a terminal.
    """
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def _reason(error: OSError) -> str:
    """Say what the system refused: for a file by its name, otherwise it is the standard output."""
    reason = error.strerror or str(error)
    if error.filename is not None:
        return f"{error.filename}: {reason}; choose another path"
    with suppress(OSError):  # so that Python does not try again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return f"cannot write the standard output: {reason}"


def _fail(message: str, status: int) -> NoReturn:
    click.echo("error: " + printable(message), err=True)
    sys.exit(status)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(None, "-V", "--version", package_name="dualgate")
def main() -> None:
    """Train neural networks on hardware that pays only for the gradients it keeps.

    Completion of commands and options in the shell: _DUALGATE_COMPLETE=bash_source dualgate prints
    the script for bash; zsh_source and fish_source are the others.
    """

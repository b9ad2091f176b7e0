# SPDX-License-Identifier: BSD-2-Clause

"""The option of every command that reads files: how much of one is read."""

from typing import Any

import click

from ..contract.errors import InputError
from ..data.bounds import MOST_BYTES, OPTION, parse_size


class Size(click.ParamType[int]):
    """Numbers of bytes, such as 500MB."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of bytes."""
        try:
            return value if isinstance(value, int) else parse_size(value)
        except InputError as error:
            self.fail(str(error), param, ctx)


HELP = (
    "Most that is read of a file, unpacked: SIZE of arrays or of a checkpoint, less of other kinds."
)

file_size_option = click.option(
    OPTION, "most", type=Size(), default=MOST_BYTES, show_default="1.1GB", metavar="SIZE", help=HELP
)
"""Decorator that adds the option; its value is the parameter ``most``."""

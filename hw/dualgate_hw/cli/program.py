# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate program`: load a board's bitstream."""

from pathlib import Path

import click

from dualgate.cli.loaders import need_loader
from dualgate.contract.errors import DeviceError, InputError

from ..boards import find_board
from ..build.families import FAMILIES
from ..build.job import NAME
from ..build.result import RESULT, Result


@click.command()
@click.argument("name", metavar="BOARD")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory of the build.  [default: build/BOARD]",
)
def program(name: str, out: Path | None) -> None:
    """Load a built bitstream into BOARD.

    It is the one that `dualgate build BOARD` left in DIR. The bitstream of a build that failed is
    refused.
    """
    board = find_board(name)
    if board.part_only:
        raise InputError(f"{name} is only synthesised; there is no bitstream to load")
    bitstream = (out or Path("build") / name) / f"{NAME}.{FAMILIES[board.family].bitstream}"
    left = bitstream.with_name(RESULT)
    if not (bitstream.is_file() and left.is_file()):
        raise InputError(f"{bitstream} is missing; run dualgate build {name} first")
    if problem := Result.from_json(left.read_bytes()).problem:
        raise InputError(f"{bitstream} is not to be loaded: {problem}")
    tool, *arguments = board.program
    loader = need_loader(tool)
    if loader.run(*(argument.format(bitstream) for argument in arguments)).returncode:
        raise DeviceError(f"{tool} failed; check the cable, the board's power and permissions")

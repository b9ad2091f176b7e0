# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate boards`: the boards, and the figures of their builds."""

from pathlib import Path

import click

from dualgate.cli import printable
from dualgate.contract.errors import InputError
from dualgate.data.files import check_target, replace_file

from ..boards import BOARDS, BROKEN
from ..boards.board import Board
from ..build.boards_page import document, engine_text
from ..build.result import RESULT, Result

COLUMNS = (
    ("board", 14),
    ("part", 12),
    ("engine", 36),
    ("clock", 10),
    ("LUTs", 7),
    ("worst", 11),
    ("", 0),
)


def read_results(directory: Path) -> dict[str, Result]:
    """Read the results of builds under `directory`, by board."""
    results = {}
    for name in BOARDS:
        path = directory / name / RESULT
        if path.is_file():
            results[name] = Result.from_json(path.read_bytes())
    return results


def row(board: Board, result: Result | None) -> str:
    """Format a board as a row of the table; `result` is None if it was not built."""
    share = "-" if result is None else f"{result.utilisation.luts / board.capacity.luts:.0%}"
    worst = f"{result.worst.mhz:.1f} MHz" if result is not None and result.timing else "-"
    cells = (
        board.name,
        board.part,
        engine_text(board),
        f"{board.clock.mhz:g} MHz",
        share,
        worst,
        "synthesis only" if board.part_only else f"{board.baud:,} baud",
    )
    padded = (cell.ljust(width) for cell, (_, width) in zip(cells, COLUMNS, strict=True))
    return "".join(padded).rstrip()


@click.command()
@click.option(
    "--builds",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build"),
    show_default=True,
    metavar="DIR",
    help="Directory of the builds, which has a directory for each board.",
)
@click.option(
    "--docs",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the tables of the documentation to FILE.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Directory of MNIST's IDX files, for the tables of --docs.",
)
def boards(builds: Path, docs: Path | None, data: Path | None) -> None:
    """List the boards that `dualgate build` supports, and the figures of those that were built."""
    results = read_results(builds)
    if docs is not None:
        if not results:
            raise InputError(f"no builds in {builds}; run dualgate build BOARD first")
        check_target(docs)
        replace_file(docs, document(results, data).encode())
    click.echo("".join(name.ljust(width) for name, width in COLUMNS).rstrip())
    for name, board in BOARDS.items():
        click.echo(row(board, results.get(name)))
    for name, why in BROKEN.items():
        click.echo(f"{name:14}cannot be used: {printable(why)}")

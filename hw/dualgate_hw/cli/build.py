# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate build`: from a board's name to its bitstream."""

from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import FitError, InputError
from dualgate.cycles import assumed_activity
from dualgate.data.files import check_target, replace_file
from dualgate.tasks import find_task

from ..boards import find_board
from ..boards.board import Board
from ..build.choose import fit
from ..build.flow import run
from ..build.job import SEEDS, Build
from ..build.netlist import load_pass
from ..build.result import Result
from ..build.utilisation import check_multipliers_fit
from .progress import Steps

INPUTS, KEPT = 0.5, 0.25
"""Shares of nonzero inputs and of kept tangents that `--fit` assumes."""


def chosen_engine(
    board: Board,
    neurons: int | None,
    tangent_lanes: int | None,
    cores: int | None,
    task: str | None,
) -> EngineParameters:
    """Return the engine that the options ask for; sizes without an option are the board's own.

    Raises
    ------
    InputError, FitError
        For an unknown task, or an engine that is impossible on the board.
    """
    if task is not None:
        network = find_task(task).network(task)
        return fit(board, network, assumed_activity(network, INPUTS, KEPT))
    sizes = {"neurons": neurons, "tangent_lanes": tangent_lanes, "cores": cores}
    engine = replace(board.engine, **{k: v for k, v in sizes.items() if v is not None})
    # Checked before the sources are written, which takes hours for thousands of lanes.
    check_multipliers_fit(engine, board)
    return engine


def summary(result: Result, bitstream: Path) -> str:
    """Describe a build in a few lines."""
    used = result.utilisation
    lines = [
        f"LUTs {used.luts}, flip-flops {used.flip_flops}, block RAMs {used.block_rams}, "
        f"multipliers {used.multipliers}"
    ]
    if result.timing:
        lines += [
            f"{result.median_mhz:.1f} MHz median and {result.worst.mhz:.1f} MHz worst of "
            f"{len(result.timing)} placements; the clock has {result.clock_mhz:g} MHz",
            f"slowest path: {result.worst.path}",
            f"{bitstream}, sha256 {result.bitstream_sha256}",
        ]
    else:
        lines.append("synthesised only: no open tool places this part")
    return "\n".join(lines)


@click.command()
@click.argument("name", metavar="BOARD")
@click.option(
    "--neurons", type=click.IntRange(1), metavar="N", help="Number of lanes, a power of two."
)
@click.option("--tangent-lanes", type=click.IntRange(1), metavar="K", help="Tangents per neuron.")
@click.option("--cores", type=click.IntRange(1), metavar="C", help="Number of cores.")
@click.option(
    "--fit", "task", metavar="TASK", help="Build the fastest engine that holds this task."
)
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=len(SEEDS),
    show_default=True,
    help="Number of placements to try.",
)
@click.option(
    "--pass",
    "passes",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    metavar="FILE",
    help="A Python file that changes the netlist before it is placed.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory for the results.  [default: build/BOARD]",
)
@click.option(
    "--json",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the figures to FILE, as JSON.",
)
def build(
    name: str,
    neurons: int | None,
    tangent_lanes: int | None,
    cores: int | None,
    task: str | None,
    seeds: int,
    passes: tuple[Path, ...],
    out: Path | None,
    path: Path | None,
) -> None:
    """Build the bitstream of BOARD; `dualgate boards` lists the boards.

    The engine is the board's own unless --fit or a size is given. Sources, logs, reports and the
    bitstream are left in DIR. A build with the same inputs as an earlier one is taken from a cache,
    unless it has a --pass. Ends with status 2 if the engine does not fit or is too slow, or if a
    tool gives a warning that is not known to be harmless; the figures are written all the same.
    """
    board = find_board(name)
    if task is not None and (neurons or tangent_lanes or cores):
        raise InputError("give either --fit, or sizes of the engine")
    if path is not None:
        check_target(path)
    engine = chosen_engine(board, neurons, tangent_lanes, cores, task)
    directory = out or Path("build") / board.name
    with Steps(Console(stderr=True)) as steps:
        job = Build(
            board,
            engine,
            directory,
            tuple(range(1, seeds + 1)),
            steps.say,
            tuple(map(load_pass, passes)),
        )
        result = run(job)
    if path is not None:
        replace_file(path, result.to_json().encode())
    if result.problem:
        raise FitError(f"{board.name}: {result.problem}")
    click.echo(summary(result, job.bitstream))

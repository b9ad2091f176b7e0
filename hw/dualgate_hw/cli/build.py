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
from dualgate.tasks.table import find_task

from ..boards import find_board
from ..boards.board import Board
from ..build.choose import fit
from ..build.flow import SEEDS, Build, Result
from ..build.utilisation import check_multipliers_fit
from .progress import Steps

INPUTS, KEPT = 0.5, 0.25
"""Shares of inputs and of tangents that `--fit` plans with."""


def chosen_engine(
    board: Board,
    neurons: int | None,
    tangent_lanes: int | None,
    cores: int | None,
    task: str | None,
) -> EngineParameters:
    """What the options ask for; the board's own engine where they ask for nothing.

    Raises
    ------
    InputError, FitError
        For an unknown task, or an engine that cannot be.
    """
    if task is not None:
        network = find_task(task).network(task)
        return fit(board, network, assumed_activity(network, INPUTS, KEPT))
    sizes = {"neurons": neurons, "tangent_lanes": tangent_lanes, "cores": cores}
    engine = replace(board.engine, **{k: v for k, v in sizes.items() if v is not None})
    # Known from the sizes alone; the sources of thousands of lanes would take hours to write.
    check_multipliers_fit(engine, board)
    return engine


def summary(result: Result, bitstream: Path) -> str:
    """A few lines on what was built."""
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
@click.option("--neurons", type=click.IntRange(1), metavar="N", help="Lanes, a power of two.")
@click.option("--tangent-lanes", type=click.IntRange(1), metavar="K", help="Tangents per neuron.")
@click.option("--cores", type=click.IntRange(1), metavar="C", help="Copies of the engine.")
@click.option("--fit", "task", metavar="TASK", help="Choose the fastest engine for TASK.")
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=len(SEEDS),
    help="Number of placements to try.",
    show_default=True,
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
    out: Path | None,
    path: Path | None,
) -> None:
    """Build the bitstream of BOARD; `dualgate boards` lists the boards.

    The engine is the board's own unless --fit or a size is given. Sources, logs, reports and the
    bitstream are left in DIR. A bitstream whose inputs have not changed is not built again. Ends
    with status 2 if the engine does not fit or is too slow; the figures are written all the same.
    """
    board = find_board(name)
    if task is not None and (neurons or tangent_lanes or cores):
        raise InputError("give either --fit, or sizes of the engine")
    if path is not None:
        check_target(path)
    engine = chosen_engine(board, neurons, tangent_lanes, cores, task)
    directory = out or Path("build") / board.name
    with Steps(Console(stderr=True)) as steps:
        job = Build(board, engine, directory, tuple(range(1, seeds + 1)), steps.say)
        result = job.run()
    if path is not None:
        replace_file(path, result.to_json().encode())
    if result.problem:
        raise FitError(f"{board.name}: {result.problem}")
    click.echo(summary(result, job.bitstream))

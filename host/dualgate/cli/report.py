# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate report`: one HTML page about a run, and hints on the terminal."""

import json
from contextlib import suppress
from pathlib import Path

import click

from ..contract.errors import InputError
from ..data import Dataset
from ..data.files import check_target, replace_file
from ..data.quantized import QuantizedSamples
from ..report.content import Content, find_content
from ..report.origin import Origin
from ..report.page import make_page
from ..report.plain import plain
from ..tasks import TASKS
from ..tasks.task import Goal
from ..train.checkpoint import Checkpoint, load_checkpoint

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("run", type=FILE)
@click.option(
    "--out",
    type=FILE,
    metavar="FILE",
    help="Where to write the page.  [default: report.html in RUN]",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the figures as one JSON object. The page is then written only with --out.",
)
def report(run: Path, out: Path | None, as_json: bool) -> None:
    """Write one HTML page about the training run in the directory RUN.

    It shows the curves, the confusion of classes, what was pruned where, how busy each lane is, how
    much of each number format is used, the weights, and what to try. The page loads nothing from
    anywhere.
    """
    page = out or (None if as_json else run / "report.html")
    state = load_checkpoint(run / "checkpoint.npz")
    task, dataset = _data_of(run, state)
    if page is not None:
        check_target(page)
    content = find_content(state, dataset)
    origin = Origin(run.resolve().name, task, goal=_goal(TASKS[task].goal, content))
    if page is not None:
        replace_file(page, make_page(content, origin).encode())
    if as_json:
        click.echo(json.dumps(plain(content, origin), indent=2))
        return
    for hint in content.hints:
        click.echo(f"hint: {hint}")
    for note in content.notes:
        click.echo(f"left out: {note}")
    click.echo(f"report: {page}")


def _data_of(run: Path, state: Checkpoint) -> tuple[str, Dataset]:
    """Find the task that the run trained on, by the checksum of its samples, and load its data."""
    sizes = state.network.sizes
    for name, task in TASKS.items():
        if task.needs_directory or (task.layers[0], task.layers[-1]) != (sizes[0], sizes[-1]):
            continue
        dataset = task.load(None)
        with suppress(InputError):  # of samples that this network cannot take
            if QuantizedSamples(state.network, dataset.train).checksum() == state.data:
                return name, dataset
    raise InputError(f"{run}: its samples are those of no built-in task, so they cannot be found")


def _goal(goal: Goal, content: Content) -> str:
    if content.evaluation is None:
        return str(goal)
    return f"{goal}, {'reached' if goal.met(content.evaluation) else 'missed'}"

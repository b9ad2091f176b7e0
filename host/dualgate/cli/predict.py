# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate predict`: what a trained network answers to new samples."""

import csv
import io
from pathlib import Path

import click

from ..contract.errors import InputError
from ..data.answers import Answers
from ..data.files import check_target, replace_file
from ..data.preparation import Floats
from ..devices import open_device
from ..runs import Run, load_run
from . import printable
from .sizes import file_size_option

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("run", type=PATH)
@click.argument("file", type=PATH)
@click.option("--out", type=PATH, metavar="FILE", help="Write a CSV.  [default: standard output]")
@click.option(
    "--probabilities", is_flag=True, help="Add a column with the probability of each class."
)
@click.option(
    "--device",
    default="golden",
    show_default=True,
    help="golden, sim, serial:PORT or pcie:ADDRESS; the answers are the same.",
)
@file_size_option
def predict(
    run: Path, file: Path, out: Path | None, probabilities: bool, device: str, most: int
) -> None:
    """Predict for the samples of FILE with the network trained in RUN.

    RUN is a directory that `dualgate train` wrote. FILE is of the kind that was trained on: a table
    with the same columns, in any order and with or without the target; arrays; or an IDX file. It
    is prepared exactly as the training samples were. The answer is a CSV with a row for each
    sample: the name of its class, or its numbers in the unit of the targets.
    """
    found = load_run(run, most)
    answers = found.description.answers
    if answers is None:
        raise InputError(f"the run in {run} has no names of classes or targets; nothing to predict")
    if probabilities and not answers.classes:
        raise InputError(f"the run in {run} predicts numbers, which have no probabilities")
    if out is not None:
        check_target(out)
    x, notes = found.read_inputs(file)
    for note in notes:
        click.echo(f"note: {printable(note)}", err=True)
    text = _table(answers, _predictions(found, device, x), probabilities)
    if out is None:
        click.echo(text, nl=False)
    else:
        replace_file(out, text.encode())
        click.echo(f"predictions: {out} ({len(x):,} samples)")


def _predictions(run: Run, device: str, x: Floats) -> Floats:
    state = run.checkpoint
    with open_device(device) as opened:
        return state.network.predictions(state.infer(opened, x))


def _table(answers: Answers, predictions: Floats, probabilities: bool) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    if not answers.classes:
        writer.writerow(answers.targets)
        writer.writerows(
            [f"{number:.6g}" for number in row] for row in answers.numbers(predictions)
        )
        return file.getvalue()
    extra = [f"P({name})" for name in answers.classes] if probabilities else []
    writer.writerow([*answers.targets, *extra])
    shares = answers.probabilities(predictions) if probabilities else [()] * len(predictions)
    for name, row in zip(answers.names(predictions), shares, strict=True):
        writer.writerow([name, *(f"{share:.4f}" for share in row)])
    return file.getvalue()

# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate evaluate`: how good a trained network is, on any device."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ..data.json_text import json_text
from ..devices import open_device
from ..runs import load_run
from ..train.evaluation import Evaluation
from . import printable
from .sizes import file_size_option

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("run", type=PATH)
@click.argument("file", type=PATH, required=False)
@click.option(
    "--device",
    default="golden",
    show_default=True,
    help="golden, sim, serial:PORT or pcie:ADDRESS; the figures are the same.",
)
@click.option(
    "--target",
    metavar="COLUMN|FILE",
    help="Where the targets of FILE are, if not where they were for training: a column, an array "
    "of a .npz, or the file beside a .npy or IDX file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@file_size_option
def evaluate(
    run: Path, file: Path | None, device: str, target: str | None, as_json: bool, most: int
) -> None:
    """Measure the network trained in RUN on the samples of FILE, which have targets.

    RUN is a directory that `dualgate train` wrote. FILE is of the kind that was trained on; without
    one, the held-out samples of the run are measured.
    """
    found = load_run(run, most)
    notes: list[str] = []
    if file is None:
        samples = found.task()[1].held_out
    else:
        samples, notes = found.read_samples(file, target)
    for note in notes:
        click.echo(f"note: {printable(note)}", err=True)
    with open_device(device) as opened:
        outputs = found.checkpoint.infer(opened, samples.x)
    measured = Evaluation.of(found.checkpoint.network, samples, outputs)
    answers = found.description.answers
    figures = {"samples": len(samples.x), "device": device, **asdict(measured)}
    figures |= {
        "classes": answers.classes if answers else (),
        "rmse": answers and answers.rmse(measured.mse),
    }
    if as_json:
        click.echo(json_text(figures, indent=2))
    else:
        _show(figures, Console())


def _show(figures: dict[str, Any], console: Console) -> None:
    names = {"accuracy": "{:.2%}", "loss": "{:.4f}", "mse": "{:.4g}", "r2": "{:.4f}"}
    names |= {"rmse": "{:.4g} in the target's unit"}
    told = [
        f"{'R2' if name == 'r2' else name.upper() if name in ('mse', 'rmse') else name} "
        f"{form.format(figures[name])}"
        for name, form in names.items()
        if figures[name] is not None
    ]
    click.echo(f"{figures['samples']:,} samples: {', '.join(told)}")
    if figures["confusion"] and 1 < len(figures["classes"]) <= 20:
        click.echo("confusion, a row for each class and a column for each prediction:")
        table = Table(box=None, header_style="bold")
        table.add_column("")
        for name in figures["classes"]:
            table.add_column(printable(name), justify="right")
        for name, counts in zip(figures["classes"], figures["confusion"], strict=True):
            table.add_row(printable(name), *map(str, counts))
        console.print(table)

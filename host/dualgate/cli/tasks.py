# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate tasks`: the tasks, their default settings and their goals."""

from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ..data.json_text import json_text
from ..tasks import Task, load_tasks
from . import printable

COLUMNS = ("task", "layers", "hidden", "loss", "optimiser", "goal", "data", "about")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def tasks(as_json: bool) -> None:
    """List the tasks with their default settings and the goals that these reach."""
    found, failures = load_tasks()
    rows = [_row(name, task) for name, task in found.items()]
    for failure in failures:
        click.echo(f"note: {printable(failure)}", err=True)
    if as_json:
        click.echo(json_text(rows, indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console.width = 200
    table = Table(box=None, header_style="bold")
    for name in COLUMNS:
        table.add_column(name, no_wrap=name in ("task", "layers", "goal"))
    for row in rows:
        table.add_row(*(str(row[name]) for name in COLUMNS))
    console.print(table)


def _row(name: str, task: Task) -> dict[str, Any]:
    recipe = task.recipe
    return {
        "task": name,
        "layers": "-".join(map(str, task.layers)),
        "hidden": task.activation if len(task.layers) > 2 else "-",
        "loss": task.loss,
        "optimiser": recipe.optimiser if recipe.momentum or not recipe.on_chip else "sgd",
        "epochs": recipe.epochs,
        "batch": recipe.batch,
        "lr": recipe.lr,
        "momentum": recipe.momentum,
        "schedule": recipe.schedule,
        "goal": str(task.goal) if task.goal else "-",
        "data": "--data DIR" if task.needs_directory else task.source,
        "source": task.source,
        "about": task.about,
    }

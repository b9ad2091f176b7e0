# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate report`: one HTML page about a run, and hints on the terminal."""

from pathlib import Path

import click

from ..data.files import check_target, replace_file
from ..data.json_text import json_text
from ..report.content import Content, find_content
from ..report.origin import Origin
from ..report.page import make_page
from ..report.plain import plain
from ..runs import load_run
from ..tasks import Goal
from . import printable
from .sizes import file_size_option

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
@file_size_option
def report(run: Path, out: Path | None, as_json: bool, most: int) -> None:
    """Write one HTML page about the training run in the directory RUN.

    It shows the curves, the confusion of classes, what was pruned where, how busy each lane is, how
    much of each number format is used, the weights, and what to try. The page loads nothing from
    anywhere.
    """
    page = out or (None if as_json else run / "report.html")
    found = load_run(run, most)
    if page is not None:
        check_target(page)
    about = found.description
    task, dataset = found.task()
    content = find_content(found.checkpoint, dataset, about.classes, about.inputs)
    origin = Origin(
        run.resolve().name,
        about.source,
        about.device,
        _goal(task.goal, content),
        about.options,
    )
    if page is not None:
        replace_file(page, make_page(content, origin).encode())
    if as_json:
        click.echo(json_text(plain(content, origin), indent=2))
        return
    for hint in content.hints:
        click.echo(f"hint: {printable(str(hint))}")
    for note in content.notes:
        click.echo(f"left out: {printable(note)}")
    click.echo(f"report: {page}")


def _goal(goal: Goal | None, content: Content) -> str:
    if goal is None:
        return ""
    if content.evaluation is None:
        return str(goal)
    return f"{goal}, {'reached' if goal.met(content.evaluation) else 'missed'}"

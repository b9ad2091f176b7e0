"""`dualgate train`: data, network and recipe into a device; a checkpoint and figures out."""

from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ..check import CheckedDevice, golden_model
from ..devices import Device, open_device
from ..errors import InputError, MissingToolError
from ..files import check_target
from ..history import draw_curves, write_history
from ..progress import Display
from ..recipe import Recipe
from ..settings import parse_prune
from ..summary import Summary
from ..tasks import find_task
from ..training import Record, Trainer


@dataclass(frozen=True)
class Options:
    """The command's options, as typed; None where the task's default holds."""

    device: str
    layers: str | None
    activation: str | None
    loss: str | None
    epochs: int | None
    batch: int | None
    lr: float | None
    momentum: float | None
    prune: str | None
    neurons: int | None
    seed: int
    data: Path | None
    out: Path | None
    json: Path | None
    check: bool
    trace: Path | None


@dataclass(frozen=True)
class Targets:
    """Where a run's files go."""

    checkpoint: Path
    history: Path
    picture: Path

    @classmethod
    def under(cls, directory: Path) -> "Targets":
        """The files' names in `directory`."""
        return cls(
            directory / "checkpoint.npz", directory / "history.jsonl", directory / "curves.png"
        )


FILE = click.Path(path_type=Path)


@click.command()
@click.argument("task")
@click.option("--device", default="sim", show_default=True, help="golden, sim, ...")
@click.option("--layers", metavar="64,32,10", help="Units of the input and of each layer.")
@click.option("--activation", metavar="NAME[,NAME...]", help="For all hidden layers, or each.")
@click.option("--loss", help="mse, sigmoid-mse, bce or cce; decides the outputs too.")
@click.option("--epochs", type=int)
@click.option("--batch", type=int, help="Most samples in a batch.")
@click.option("--lr", type=float, help="Learning rate.")
@click.option("--momentum", type=float)
@click.option("--prune", metavar="off|1/2|1/4|...", help="Drop tangents below this share.")
@click.option("--neurons", type=int, help="N of a device without hardware; otherwise 16.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--data", type=FILE, metavar="DIR", help="Where the IDX files of the task are.")
@click.option("--out", type=FILE, metavar="DIR", help="Where results go.  [default: runs/TASK]")
@click.option("--json", type=FILE, metavar="FILE", help="Write every figure shown.")
@click.option("--check", is_flag=True, help="Compare with the golden model after every batch.")
@click.option("--trace", type=FILE, metavar="FILE", help="Write a waveform of the first batch.")
def train(task: str, **options: Any) -> None:
    """Train on TASK: digits, mnist or fashion-mnist.

    What is not given is the task's default.
    """
    run(task, Options(**options))


def run(name: str, options: Options) -> None:
    """Train as `options` say; raises a `DualgateError` before anything is written."""
    task = find_task(name)
    targets = Targets.under(options.out or Path("runs") / name)
    _check_targets(options, targets)
    network = task.network(name, options.layers, options.activation, options.loss)
    recipe = _recipe(task.recipe, options)
    dataset = task.load(options.data)
    trainer = Trainer(network, recipe, dataset.train, dataset.held_out)
    console = Console()
    with ExitStack() as stack:
        device = _open(options, stack)
        records = _run(trainer, device, targets, console)
        summary = Summary.of(name, options.device, trainer, device, records)
    click.echo(summary.text())
    click.echo(f"checkpoint: {targets.checkpoint}\nhistory: {targets.history}")
    try:
        draw_curves(targets.picture, records, summary.title())
        click.echo(f"picture: {targets.picture}")
    except MissingToolError as error:
        click.echo(str(error))
    if options.trace:
        click.echo(f"waveform: {options.trace}")
    if options.json:
        summary.write(options.json)


def _check_targets(options: Options, targets: Targets) -> None:
    if options.trace and options.device.partition("?")[0] == "golden":
        raise InputError("--trace: the golden model has no waveform; use --device sim")
    paths = [getattr(targets, field.name) for field in fields(targets)]
    for path in (*paths, options.json, options.trace):
        if path is not None:
            check_target(path)


def _recipe(default: Recipe, options: Options) -> Recipe:
    given: dict[str, Any] = {
        "epochs": options.epochs,
        "batch": options.batch,
        "lr": options.lr,
        "momentum": options.momentum,
        "prune": None if options.prune is None else parse_prune(options.prune),
        "seed": options.seed,
    }
    return replace(default, **{key: value for key, value in given.items() if value is not None})


def _open(options: Options, stack: ExitStack) -> Device:
    given = {"neurons": options.neurons, "trace": options.trace and str(options.trace)}
    extra = {name: value for name, value in given.items() if value is not None}
    device = stack.enter_context(open_device(options.device, **extra))
    return CheckedDevice(device, golden_model) if options.check else device


def _run(trainer: Trainer, device: Device, targets: Targets, console: Console) -> list[Record]:
    records: list[Record] = []
    with Display(trainer.recipe.epochs, trainer.samples, console) as display:
        for record in trainer.run(device, display.batch):
            records.append(record)
            trainer.checkpoint(device).save(targets.checkpoint)
            write_history(targets.history, records)
            display.epoch(record)
    return records

# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate train`: train a task on a device; write a checkpoint, a history and pictures."""

from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from ..contract.engine import EngineParameters
from ..contract.errors import InputError, MissingToolError
from ..contract.formats import MASTER
from ..contract.network import Network
from ..contract.settings import parse_prune
from ..data.augmentation import image_side
from ..data.files import check_target
from ..devices import Device, open_device
from ..devices.checked import CheckedDevice, golden_model
from ..optim.optimisers import OPTIMISERS
from ..report.plots import draw_confusion, draw_curves, draw_weights
from ..report.progress import Display
from ..report.summary import Summary
from ..tasks import Task, find_task
from ..train.checkpoint import Checkpoint, load_checkpoint
from ..train.history import write_history
from ..train.recipe import WITH_MOMENTUM, Recipe
from ..train.trainer import Trainer
from .first_weights import freeze, imported


@dataclass(frozen=True)
class Options:
    """The command's options as typed; None for an option that keeps the task's default."""

    device: str
    layers: str | None
    activation: str | None
    loss: str | None
    epochs: int | None
    batch: int | None
    optimiser: str | None
    lr: float | None
    schedule: str | None
    momentum: float | None
    prune: str | None
    l1: float | None
    l2: float | None
    dropout: float | None
    class_weights: str | None
    shift: int | None
    patience: int | None
    initialiser: str | None
    weights: Path | None
    freeze: str | None
    neurons: int | None
    seed: int | None
    data: Path | None
    out: Path | None
    json: Path | None
    resume: bool
    checkpoint_every: int | None
    check: bool
    trace: Path | None


@dataclass(frozen=True)
class Targets:
    """Paths of the files that a run writes."""

    checkpoint: Path
    history: Path
    curves: Path
    confusion: Path
    weights: Path

    @classmethod
    def under(cls, directory: Path) -> "Targets":
        """Name the files in `directory`."""
        pictures = (directory / f"{name}.png" for name in ("curves", "confusion", "weights"))
        return cls(directory / "checkpoint.npz", directory / "history.jsonl", *pictures)


FILE = click.Path(path_type=Path)


@click.command()
@click.argument("task")
@click.option(
    "--device",
    default="sim",
    show_default=True,
    help="golden, sim, serial:PORT or pcie:ADDRESS; options follow as ?key=value&...",
)
@click.option("--layers", metavar="64,32,10", help="Units of the input and of each layer.")
@click.option(
    "--activation",
    metavar="NAME[,NAME...]",
    help="identity, relu, leaky_relu, sigmoid or tanh; one for all hidden layers, or one for each.",
)
@click.option(
    "--loss",
    metavar="NAME",
    help="Also decides the outputs: mse or msle (identity), sigmoid-mse or bce (sigmoid), cce "
    "(softmax), perceptron (step).",
)
@click.option("--epochs", type=int, help="Passes over the training samples.")
@click.option("--batch", type=int, help="Most samples in a batch.")
@click.option(
    "--optimiser",
    metavar="NAME",
    help=f"{', '.join(OPTIMISERS)}. sgd and momentum run on chip; for the others the device "
    "returns the gradient of each batch and takes new weights.",
)
@click.option("--lr", type=float, help="Learning rate at the start.")
@click.option(
    "--schedule",
    metavar="NAME:FACTOR[:EPOCHS]",
    help="How the rate falls: inverse-time, inverse-root, exponential or staircase.",
)
@click.option("--momentum", type=float, help="Share of the velocity that each batch keeps.")
@click.option(
    "--prune",
    metavar="off|1/2|1/4|...",
    help="Drop entries of a derivative vector below about this share of its largest.",
)
@click.option(
    "--l1",
    type=float,
    help="Penalty on the sum of magnitudes of the weights; the host adds it to the gradient.",
)
@click.option(
    "--l2",
    type=float,
    help="Penalty on half the sum of squares of the weights; the host adds it to the gradient.",
)
@click.option(
    "--dropout",
    type=float,
    metavar="P",
    help="Leave each hidden unit out of each training sample with probability P; it then costs "
    "nothing. For inference the weights are scaled by 1 - P.",
)
@click.option(
    "--class-weights", metavar="1,2,...", help="How much the samples of each class count."
)
@click.option(
    "--shift",
    type=int,
    metavar="N",
    help="Move images by up to N pixels, drawn anew in every epoch.",
)
@click.option(
    "--patience",
    type=int,
    metavar="N",
    help="End after N epochs without a lower held-out loss, and restore the best weights.",
)
@click.option(
    "--initialiser",
    metavar="NAME",
    help="kaiming, glorot or normal; by default the one that suits the activations.",
)
@click.option(
    "--weights",
    type=FILE,
    metavar="FILE",
    help="First weights, and the network with them: .onnx, a checkpoint, or a state dict of "
    "PyTorch (.safetensors).",
)
@click.option(
    "--freeze", metavar="0,1,...", help="Layers, counted from 0, whose weights do not change."
)
@click.option(
    "--neurons",
    type=int,
    metavar="N",
    help="Lanes of the engine, a power of two; it changes the speed, never a result.  "
    f"[default: {EngineParameters().neurons}]",
)
@click.option(
    "--seed", type=int, help="Seed of first weights, order of samples, shifts and dropout."
)
@click.option(
    "--data",
    type=FILE,
    metavar="DIR",
    help="Directory of the task's four IDX files, .gz or not; dualgate tasks names the tasks "
    "that need it.",
)
@click.option(
    "--out",
    type=FILE,
    metavar="DIR",
    help="Directory for checkpoint, history and pictures.  [default: runs/TASK]",
)
@click.option("--json", type=FILE, metavar="FILE", help="Write every figure shown to FILE.")
@click.option(
    "--resume",
    is_flag=True,
    help="Continue from the checkpoint in --out, with its settings, to the bits of a run that "
    "was never interrupted.",
)
@click.option(
    "--checkpoint-every",
    type=click.IntRange(1),
    metavar="BATCHES",
    help="Write the checkpoint after every BATCHES batches, too, not only after every epoch.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Run the golden model beside the device. Compare the outputs of every sample and, after "
    "every batch, all weights, velocities and counters but cycles. The first difference ends the "
    "run with status 1.",
)
@click.option(
    "--trace", type=FILE, metavar="FILE", help="Write a waveform (VCD) of the first batch."
)
def train(task: str, **options: Any) -> None:
    """Train on TASK; `dualgate tasks` lists the tasks.

    Options that are not given have the task's defaults or, with --resume, the values of the
    checkpoint. Unusable input ends with status 2 and one line that says what is wrong.
    """
    run(task, Options(**options))


def run(name: str, options: Options) -> None:
    """Train task `name` with `options`.

    Bad options raise a `DualgateError` before any file is written.
    """
    task = find_task(name)
    targets = Targets.under(options.out or Path("runs") / name)
    _check_targets(options, targets)
    start = load_checkpoint(targets.checkpoint) if options.resume else None
    network, weights = _network(name, task, start, options)
    recipe = _recipe(task.recipe if start is None else start.recipe, options)
    dataset = task.load(options.data)
    trainer = Trainer(network, recipe, dataset.train, dataset.held_out, start, weights)
    with ExitStack() as stack:
        device = _open(options, stack)
        _run(trainer, device, targets, options)
        summary = Summary.of(name, options.device, trainer, device, trainer.evaluate(device))
        state = trainer.checkpoint(device)
    click.echo(summary.text())
    click.echo(f"checkpoint: {targets.checkpoint}\nhistory: {targets.history}")
    _draw(targets, trainer, summary, state)
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


def _network(
    name: str, task: Task, start: Checkpoint | None, options: Options
) -> tuple[Network, list[NDArray[np.int64]] | None]:
    given, weights = (options.layers, options.activation, options.loss), None
    if options.weights is not None:
        network, weights = imported(options.weights, task, name, *given)
    elif start is not None and given == (None, None, None):
        network = start.network
    else:
        network = task.network(name, *given)
    return network if options.freeze is None else freeze(network, options.freeze), weights


def _recipe(default: Recipe, options: Options) -> Recipe:
    given: dict[str, Any] = {
        field.name: getattr(options, field.name)
        for field in fields(Recipe)
        if getattr(options, field.name) is not None
    }
    if options.prune is not None:
        given["prune"] = parse_prune(options.prune)
    if options.class_weights is not None:
        given["class_weights"] = _numbers(options.class_weights)
    if options.optimiser not in (None, default.optimiser):
        given = {**_usual(options.optimiser, default), **given}
    return replace(default, **given)


def _usual(optimiser: str, default: Recipe) -> dict[str, Any]:
    """Find the usual rate of another optimiser, or else the task's, and its momentum."""
    kind = OPTIMISERS.get(optimiser)
    lr = getattr(kind, "lr", default.lr)
    return {"lr": lr, "momentum": default.momentum if optimiser in WITH_MOMENTUM else 0.0}


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"class weights {text!r}: give numbers such as 1,2.5") from None


def _open(options: Options, stack: ExitStack) -> Device:
    given = {"neurons": options.neurons, "trace": options.trace and str(options.trace)}
    extra = {name: value for name, value in given.items() if value is not None}
    device = stack.enter_context(open_device(options.device, **extra))
    return CheckedDevice(device, golden_model) if options.check else device


def _run(trainer: Trainer, device: Device, targets: Targets, options: Options) -> None:
    def save() -> None:
        trainer.checkpoint(device).save(targets.checkpoint)

    with Display(trainer.recipe.epochs, trainer.samples, Console(), trainer.epoch) as display:

        def batch(done: int) -> None:
            display.batch(done)
            if options.checkpoint_every and trainer.batch % options.checkpoint_every == 0:
                save()

        for record in trainer.run(device, batch):
            save()
            write_history(targets.history, trainer.records)
            display.epoch(record)
    write_history(targets.history, trainer.records)
    if trainer.recipe.patience:
        save()  # patience may have put back the weights of an earlier epoch


def _draw(targets: Targets, trainer: Trainer, summary: Summary, state: Checkpoint) -> None:
    title = summary.title()
    try:
        draw_curves(targets.curves, trainer.records, title)
        drawn = [targets.curves]
        if summary.confusion is not None:
            draw_confusion(targets.confusion, summary.confusion, title)
            drawn.append(targets.confusion)
        if _are_images(trainer.network):
            draw_weights(targets.weights, MASTER.real(state.weights[0]), title)
            drawn.append(targets.weights)
    except MissingToolError as error:
        click.echo(str(error))
        return
    click.echo(f"pictures: {', '.join(map(str, drawn))}")


def _are_images(network: Network) -> bool:
    try:
        return image_side(network.sizes[0]) >= 8
    except InputError:
        return False

# SPDX-License-Identifier: BSD-2-Clause

"""A run of `dualgate train`, from its options to its files."""

import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from ...data.bounds import MOST_BYTES, OPTION
from ...data.dataset import Dataset
from ...data.files import check_target
from ...devices import Device, open_device
from ...devices.checked import CheckedDevice, golden_model
from ...report.content import quick_hints
from ...report.progress import Display
from ...report.summary import Summary
from ...report.tensorboard import EventWriter
from ...runs import Description, RunDirectory
from ...runs.description import read_description
from ...tasks import Task
from ...train.checkpoint import load_checkpoint
from ...train.history import write_history
from ...train.trainer import Trainer
from .. import printable
from ..interruption import Interrupted, Interruption
from ..tracing import device_options
from .options import Options
from .pictures import draw_pictures
from .settings import choose_network, choose_recipe
from .source import find_source, load_source


@dataclass(frozen=True)
class _Run:
    """A run that is ready to begin.

    Parameters
    ----------
    argument : str
        The task or file, as the user gave it.
    options : Options
    directory : RunDirectory
    description : Description
    task : Task
    dataset : Dataset
    trainer : Trainer
    waveform : dict of str
        Options of the device for a waveform.
    """

    argument: str
    options: Options
    directory: RunDirectory
    description: Description
    task: Task
    dataset: Dataset
    trainer: Trainer
    waveform: dict[str, str]


def run(argument: str, options: Options) -> None:
    """Train on a task or file with `options`.

    Bad options raise a `DualgateError` before any file is written.
    """
    ready = _prepare(argument, options)
    directory = ready.directory
    before = options.trace and _changed(options.trace)
    for note in ready.dataset.notes:
        click.echo(printable(note))
    with ExitStack() as stack:
        device = _open(ready, stack)
        stack.enter_context(directory.writing())
        _train(ready, device, stack)
        trainer = ready.trainer
        state = trainer.checkpoint(device)
        summary = Summary.of(
            ready.description.name,
            options.device,
            trainer,
            device,
            trainer.evaluate(device),
            ready.task.goal,
            ready.description.answers,
            quick_hints(state, ready.dataset.train),
        )
        for line in summary.text().splitlines():
            click.echo(printable(line))
        click.echo(f"checkpoint: {directory.checkpoint}\nhistory: {directory.history}")
        if options.json:
            summary.write(options.json)
        click.echo(draw_pictures(directory, summary, state, ready.description.classes))
    if options.trace is not None:
        click.echo(
            f"waveform: {options.trace}"
            if _changed(options.trace) != before
            else "no waveform: the run ended before the batches of --trace-batches"
        )


def _prepare(argument: str, options: Options) -> _Run:
    """Check everything, and load the data, before a device is opened or a file is written."""
    source = find_source(argument, options)
    directory = RunDirectory.choose(source.name, options.out, options.resume, options.overwrite)
    if options.json is not None:
        check_target(options.json)
    waveform = device_options(
        options.device, options.trace, options.trace_scope, options.trace_batches
    )
    start = load_checkpoint(directory.checkpoint, options.most) if options.resume else None
    then = None
    if start is not None and directory.description.exists():
        then = read_description(directory.description, options.most)
    seed = options.seed if options.seed is not None else then.seed if then else 0
    loss = options.loss or (start.network.loss if start else None)
    task, dataset, own = load_source(source, options, then, seed, loss)
    network, weights = choose_network(source.name, task, start, options)
    recipe = choose_recipe(task.recipe if start is None else start.recipe, options)
    trainer = Trainer(network, recipe, dataset.train, dataset.held_out, start, weights)
    data = options.data or (then.data if then else None)
    description = Description(
        source.name,
        options.device,
        seed,
        data.resolve() if data else None,
        own.resolved() if own else None,
        dataset.preparation,
        dataset.answers,
    )
    return _Run(argument, options, directory, description, task, dataset, trainer, waveform)


def _open(ready: _Run, stack: ExitStack) -> Device:
    options = ready.options
    neurons = {} if options.neurons is None else {"neurons": options.neurons}
    device = stack.enter_context(open_device(options.device, **neurons, **ready.waveform))
    return CheckedDevice(device, golden_model) if options.check else device


def _train(ready: _Run, device: Device, stack: ExitStack) -> None:
    trainer, directory, options = ready.trainer, ready.directory, ready.options
    events = options.tensorboard and stack.enter_context(
        EventWriter(options.tensorboard, trainer.records)
    )

    begun = options.resume and directory.description.exists()

    def save() -> None:
        nonlocal begun
        state = trainer.checkpoint(device)
        if begun:
            state.save(directory.checkpoint)
        else:
            directory.begin(ready.description, state)
            begun = True

    with (
        Display(trainer.recipe.epochs, trainer.samples, Console(), trainer.epoch) as display,
        Interruption() as stop,
    ):

        def batch(done: int) -> None:
            # Until a batch is finished there is nothing to keep, and perhaps an engine to compile.
            stop.begin()
            display.batch(done, trainer.loss_so_far(done))
            if options.checkpoint_every and trainer.batch % options.checkpoint_every == 0:
                save()
            if stop.number is not None:
                save()
                raise Interrupted(stop.number, _advice(ready))

        for record in trainer.run(device, batch):
            save()
            write_history(directory.history, trainer.records)
            display.epoch(record)
            if events:
                events.epoch(record)
    write_history(directory.history, trainer.records)
    if trainer.recipe.patience:
        save()  # patience may have put back the weights of an earlier epoch
    if stop.number is not None:  # it came after the last batch
        raise Interrupted(stop.number, _advice(ready))


def _changed(path: Path) -> int | None:
    """Return when a file changed last, in nanoseconds; None if there is none."""
    return path.stat().st_mtime_ns if path.exists() else None


def _advice(ready: _Run) -> str:
    """Say how an interrupted run goes on."""
    options = ready.options
    given = ["dualgate", "train", ready.argument, "--device", options.device]
    kept = {
        "--neurons": options.neurons,
        "--checkpoint-every": options.checkpoint_every,
        "--json": options.json,
        "--tensorboard": options.tensorboard,
        OPTION: options.most if options.most != MOST_BYTES else None,
        "--out": ready.directory.path,
    }
    given += [str(part) for name, value in kept.items() if value for part in (name, value)]
    given += ["--check"] * options.check + ["--resume"]
    return f"interrupted, nothing is lost; go on with: {shlex.join(given)}"

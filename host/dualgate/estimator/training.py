# SPDX-License-Identifier: BSD-2-Clause

"""Training of the estimators: on a device, or in floating point."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from rich.console import Console

from ..contract.errors import InputError
from ..contract.formats import MASTER
from ..contract.network import Network, check_master
from ..data.samples import Samples
from ..devices import open_device
from ..floating import EarlyStopping, FloatRecipe, FloatTrainer, ForwardMode, Policy
from ..floating import initial_weights as drawn
from ..report.progress import Display
from ..train.dropout import shrunk
from ..train.recipe import Recipe
from ..train.trainer import Trainer
from ..train.weighting import check_class_weights
from .runs import AnyRun, DeviceRun, FloatRun, Floats

ANEW = "train from the beginning"


@dataclass(frozen=True)
class Job:
    """What is to be trained.

    Parameters
    ----------
    network : Network
    recipe : Recipe
        Its epochs count from the first call.
    train : Samples
    held_out : Samples or None
    weights : sequence of int array (inputs + 1, outputs), or None
        Initial master weights.
    verbose : bool
        Whether to print a row for each epoch.
    """

    network: Network
    recipe: Recipe
    train: Samples
    held_out: Samples | None
    weights: Sequence[NDArray[Any]] | None
    verbose: bool

    def display(self, done: int) -> Display:
        """Return the display of the run, after `done` epochs."""
        console = Console(quiet=not self.verbose)
        return Display(self.recipe.epochs, len(self.train.x), console, done)


def train_on_device(job: Job, device: str, before: AnyRun | None) -> DeviceRun:
    """Train on a device, from the beginning or from the end of another run.

    Raises
    ------
    InputError
        To carry on a run of floating point, and as `Trainer` does.
    """
    if isinstance(before, FloatRun):
        raise InputError(f"a run in floating point cannot go on on device {device!r}; {ANEW}")
    trainer = Trainer(
        job.network,
        job.recipe,
        job.train,
        job.held_out,
        weights=job.weights if before is None else None,
        before=None if before is None else before.checkpoint,
    )
    with open_device(device) as opened, job.display(trainer.epoch) as display:
        for record in trainer.run(opened, display.batch):
            display.epoch(record)
        return DeviceRun(trainer.checkpoint(opened))


def train_in_float(job: Job, policy: Policy, before: AnyRun | None) -> FloatRun:
    """Train in float64, from the beginning or from the end of another run.

    Parameters
    ----------
    job : Job
    policy : Policy
        A run that goes on with an equal policy goes on with its random numbers too.
    before : DeviceRun, FloatRun or None
        Run to go on from.

    Raises
    ------
    InputError
        For a setting that only devices have, or another network than so far.
    """
    recipe, network = job.recipe, job.network
    if recipe.shift:
        raise InputError(f"shift {recipe.shift}: floating point has no shifts; use a device or 0")
    if isinstance(before, DeviceRun):
        raise InputError(f"a run on a device cannot go on in floating point; {ANEW}")
    if before is not None and before.network != network:
        raise InputError(f"the network is another than so far; {ANEW}")
    if before is not None and before.optimiser != recipe.optimiser:
        raise InputError(
            f"optimiser {recipe.optimiser} cannot take over from {before.optimiser}; {ANEW}"
        )
    check_class_weights(network, recipe)
    method = recipe.method(-(-len(job.train.x) // recipe.batch))
    plan = FloatRecipe(
        recipe.epochs,
        recipe.batch,
        method.optimiser,
        method.penalty,
        dropout=recipe.dropout,
        class_weights=recipe.class_weights or None,
        seed=recipe.seed,
    )
    if before is not None and before.policy == policy:
        policy = before.policy
    mode = ForwardMode(network, policy=deepcopy(policy))
    trainer = FloatTrainer(mode, plan, job.train, job.held_out, _first_weights(job, before))
    if before is not None:
        trainer.state, trainer.epoch = before.state, len(before.records)
    stop = EarlyStopping(recipe.patience) if recipe.patience else None
    if stop is not None:
        stop.epoch = trainer.epoch
    records = [] if before is None else list(before.records)
    with job.display(trainer.epoch) as display:
        for record in trainer.run(stop, display.batch):
            display.epoch(record)
            records.append(record)
    return FloatRun(
        network,
        recipe.seed,
        recipe.optimiser,
        records,
        trainer.weights,
        trainer.state,
        mode.policy,
    )


def _first_weights(job: Job, before: FloatRun | None) -> Sequence[Floats]:
    if before is not None:
        return before.weights
    if job.weights is None:
        return drawn(job.network, job.recipe.initialiser, job.recipe.seed)
    check_master(job.network, job.weights)
    # In floating point, the weights that train are those that answer; see `train.dropout`.
    return shrunk([MASTER.real(w) for w in job.weights], job.recipe.dropout)

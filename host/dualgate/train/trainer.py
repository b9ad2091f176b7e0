# SPDX-License-Identifier: BSD-2-Clause

"""The training loop: batches into a device, a record out of every epoch.

Nothing here computes what the device computes; losses and accuracies come from the outputs it
returns while it trains, so an epoch is one pass. A run is determined by its network, recipe and
data: all chance is drawn from the seed, the epoch and the batch, so that it can be left after any
batch and taken up again from a checkpoint.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.network import Network, check_master
from ..data.augmentation import image_side, shift_images
from ..data.quantized import QuantizedSamples
from ..data.samples import Samples
from ..devices import Counters, Device
from ..optim.initialisers import initial_master_weights
from ..optim.regularisation import EarlyStopping, draw_masks
from .checkpoint import Best, Checkpoint
from .dropout import infer
from .evaluation import Evaluation
from .recipe import Recipe
from .record import Record, Tally, add
from .weight_update import weight_update

__all__ = ["Record", "Trainer"]

Ints = NDArray[np.int64]


class Trainer:
    """A run: network, recipe and data, checked before any device is touched.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    train : Samples
    held_out : Samples or None
    start : Checkpoint or None
        Where to go on; all but the number of epochs must be those of this run.
    weights : sequence of int array (inputs + 1, outputs), or None
        First master weights, such as `exchange.Model.master_weights` of an imported network; by
        default they are drawn from the seed.

    Members
    -------
    update_frac : int
        See `Device.configure`.
    epoch, batch : int
        Epochs done, and batches of the one under way.
    records : list of Record
        Of all epochs done, those before `start` included.
    counters : Counters
        Of the whole run, as far as they were last read.

    Raises
    ------
    InputError
        For samples, settings or weights the network cannot take, or a `start` of another run.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        train: Samples,
        held_out: Samples | None = None,
        start: Checkpoint | None = None,
        weights: Sequence[Ints] | None = None,
    ) -> None:
        self.network = network
        self.recipe = recipe
        self._train = QuantizedSamples(network, train)
        self._held_out = None if held_out is None else QuantizedSamples(network, held_out)
        self._check_recipe()
        self._update = weight_update(network, recipe, self.batches, self._sizes)
        self.update_frac = self._update.update_frac
        self._data = self._train.checksum()
        self._start = start
        self._first = weights
        if weights is not None:
            check_master(network, weights)
        if start is not None:
            self._check_start(start)
        self._rewind()

    @cached_property
    def batches(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._train) // self.recipe.batch)

    @property
    def samples(self) -> int:
        """Training samples in an epoch."""
        return len(self._train)

    @cached_property
    def _sizes(self) -> set[int]:
        # Equal within one: a short last batch would need a rate, hence a headroom, of its own.
        return {-(-len(self._train) // self.batches), len(self._train) // self.batches}

    @property
    def finished(self) -> bool:
        """Whether there is no epoch left, or early stopping has ended the run."""
        stopped = self._stop is not None and self._stop.due(self.epoch)
        return stopped or self.epoch >= self.recipe.epochs

    def run(
        self, device: Device, on_batch: Callable[[int], None] = lambda done: None
    ) -> Iterator[Record]:
        """Train, yielding a record after every epoch.

        Parameters
        ----------
        device : Device
            Stays open, and holds the weights afterwards.
        on_batch : callable
            Called after every batch with the samples done in this epoch; it may call
            `checkpoint`.

        Raises
        ------
        FitError
            When the network does not fit the device.
        """
        self._rewind()
        device.configure(self.network, self.update_frac)
        start = self._start
        if start is None:
            weights = self._first_weights()
            velocity = [np.zeros_like(w) for w in weights]
        else:
            weights, velocity = start.weights, start.velocity
        device.write_weights(weights)
        device.write_velocity(velocity)
        self._update.start(weights, None if start is None else start.state)
        self._mark = device.counters()
        while not self.finished:
            yield self._one_epoch(device, on_batch)
        if self._stop is not None and self._stop.weights:
            device.write_weights(self._stop.weights)

    def checkpoint(self, device: Device) -> Checkpoint:
        """The state after the last batch, read from the device that runs it."""
        self._count(device, training=True)
        stop = self._stop
        return Checkpoint(
            self.network,
            self.recipe,
            self.update_frac,
            self.epoch,
            device.read_weights(),
            device.read_velocity(),
            self.batch,
            self._update.state,
            tuple(self.records),
            self._tally,
            self.counters,
            self._data,
            Best(stop.epoch, stop.loss, stop.weights) if stop and stop.weights else None,
        )

    def evaluate(self, device: Device) -> Evaluation:
        """Measure the weights that a device was left with by `run`, on the held-out samples, or
        else on all."""
        data = self._held_out or self._train
        outputs = infer(device, data.x, self.recipe.dropout)
        return Evaluation.of(self.network, data.samples, outputs)

    def _first_weights(self) -> list[Ints]:
        if self._first is None:
            return initial_master_weights(self.network, self.recipe.seed, self.recipe.initialiser)
        return [w.astype(np.int64) for w in self._first]

    def _check_recipe(self) -> None:
        recipe = self.recipe
        if recipe.shift:
            image_side(self.network.sizes[0])
        if (recipe.shift or recipe.class_weights) and self._train.labels is None:
            raise InputError("shifts and class weights need samples with classes")
        if recipe.patience and self._held_out is None:
            raise InputError("early stopping watches held-out samples; give some")
        if recipe.dropout and len(self.network.layers) == 1:
            raise InputError("dropout leaves out hidden units; the network has none")

    def _check_start(self, start: Checkpoint) -> None:
        if self._first is not None:
            raise InputError("a checkpoint to go on from has its own weights; give no others")
        recipe = replace(start.recipe, epochs=self.recipe.epochs)
        theirs = {**asdict(recipe), **asdict(start.network), "update_frac": start.update_frac}
        ours = {**asdict(self.recipe), **asdict(self.network), "update_frac": self.update_frac}
        for name, value in ours.items():
            if theirs[name] != value:
                raise InputError(
                    f"the checkpoint is of another run: its {name} is {theirs[name]}, here {value}"
                )
        if start.data != self._data:
            raise InputError("the checkpoint is of another run: it has other training samples")

    def _rewind(self) -> None:
        """Go back to where the run begins."""
        start = self._start
        self.epoch = start.epoch if start else 0
        self.batch = start.batch if start else 0
        self.records = list(start.records) if start else []
        self.counters = start.counters if start else Counters()
        self._tally = start.tally if start else Tally()
        self._mark = Counters()
        self._stop = EarlyStopping(self.recipe.patience) if self.recipe.patience else None
        if self._stop is not None and start is not None and start.best is not None:
            best = start.best
            self._stop.update(best.epoch, best.loss, best.weights)

    def _one_epoch(self, device: Device, on_batch: Callable[[int], None]) -> Record:
        order = np.random.default_rng((self.recipe.seed, self.epoch)).permutation(self.samples)
        parts = np.array_split(order, self.batches)
        done = sum(len(part) for part in parts[: self.batch])
        for chosen in parts[self.batch :]:
            self._one_batch(device, chosen)
            done += len(chosen)
            on_batch(done)
        self._count(device, training=True)
        self.epoch, self.batch = self.epoch + 1, 0
        tally, self._tally = self._tally, Tally()
        held_out = self._measure(device)
        measured = self._count(device, training=False)
        record = self._record(tally, held_out, measured)
        self.records.append(record)
        if self._stop is not None and held_out[0] is not None:
            self._stop.update(record.epoch, held_out[0], device.read_weights())
        return record

    def _one_batch(self, device: Device, chosen: NDArray[np.intp]) -> None:
        clock, data = perf_counter(), self._train
        x, target = data.x[chosen], data.target[chosen]
        if self.recipe.shift:
            random = np.random.default_rng((self.recipe.seed, self.epoch, self.batch))
            x = shift_images(x, self.recipe.shift, random)
        labels = None if data.labels is None else data.labels[chosen]
        number = self.epoch * self.batches + self.batch
        outputs = self._update.batch(device, number, x, target, labels, self._masks(len(x)))
        self.batch += 1
        loss, right = data.score(chosen, outputs)
        tally = self._tally
        self._tally = replace(
            tally,
            loss=tally.loss + loss,
            right=tally.right + right,
            seconds=tally.seconds + perf_counter() - clock,
        )

    def _masks(self, samples: int) -> list[NDArray[np.bool_]] | None:
        """Of this batch, under dropout; another stream of chance than that of its shifts."""
        rate = self.recipe.dropout
        if not rate:
            return None
        random = np.random.default_rng((self.recipe.seed, self.epoch, self.batch, 1))
        return draw_masks(self.network, rate, samples, random)

    def _count(self, device: Device, training: bool) -> Counters:
        """Take over what the device has counted since the last time."""
        now = device.counters()
        spent, self._mark = now - self._mark, now
        clipped = spent.saturated_weights + self._update.clipped()
        spent = replace(spent, saturated_weights=clipped)
        self.counters = add(self.counters, spent)
        if training:
            self._tally = replace(self._tally, counters=add(self._tally.counters, spent))
        return spent

    def _measure(self, device: Device) -> tuple[float | None, float | None]:
        if self._held_out is None:
            return None, None
        outputs = infer(device, self._held_out.x, self.recipe.dropout)
        return self._held_out.mean(*self._held_out.score(slice(None), outputs))

    def _record(
        self, tally: Tally, held_out: tuple[float | None, float | None], measured: Counters
    ) -> Record:
        spent = tally.counters
        return Record(
            self.epoch,
            *self._train.mean(tally.loss, tally.right),
            *held_out,
            samples_per_s=self.samples / tally.seconds,
            cycles_per_sample=spent.cycles / self.samples if spent.cycles else None,
            kept_fraction=spent.kept_fraction,
            saturations=add(spent, measured).saturations,
        )

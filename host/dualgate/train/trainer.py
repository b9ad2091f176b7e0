# SPDX-License-Identifier: BSD-2-Clause

"""The training loop: it feeds batches to a device and makes a record of every epoch.

The device computes everything. Losses and accuracies come from the outputs that it returns during
training, so an epoch is a single pass. Network, recipe and data determine a run; `chance` draws all
random numbers from the seed, the epoch and the batch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.network import Network, check_master
from ..data.quantized import QuantizedSamples
from ..data.samples import Samples
from ..devices import Counters, Device
from ..optim.initialisers import initial_master_weights
from ..optim.regularisation import EarlyStopping
from .chance import draw_dropout, draw_shifts, epoch_batches
from .checkpoint import Best, Checkpoint
from .checks import check_progress, check_recipe, check_start
from .continuation import carried
from .dropout import infer
from .evaluation import Evaluation
from .recipe import Recipe
from .record import Record, Tally
from .stream import add_losses, mean_losses
from .weight_update import weight_update
from .weighting import sample_weights

__all__ = ["Record", "Trainer"]

Ints = NDArray[np.int64]


class Trainer:
    """A training run, whose network, recipe and data are checked before a device is used.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    train : Samples
    held_out : Samples or None
    start : Checkpoint or None
        Checkpoint to continue from. Everything in it except the number of epochs must agree with
        this run.
    weights : sequence of int array (inputs + 1, outputs), or None
        Initial master weights, such as `exchange.Model.master_weights` of an imported network; by
        default they are drawn from the seed.
    before : Checkpoint or None
        Checkpoint of a run on other samples, or with other settings, that this run carries on; see
        `continuation.carried`.

    Members
    -------
    update_frac : int
        Fraction bits of the update scalars; see `Device.configure`.
    epoch, batch : int
        Number of finished epochs, and of finished batches in the current epoch.
    records : list of Record
        One of each finished epoch, including those before `start`.
    counters : Counters
        Counts of the whole run, at the time of the last reading.

    Raises
    ------
    InputError
        For samples, settings or weights that do not fit the network, or a `start` of another run.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        train: Samples,
        held_out: Samples | None = None,
        start: Checkpoint | None = None,
        weights: Sequence[Ints] | None = None,
        before: Checkpoint | None = None,
    ) -> None:
        self.network = network
        self.recipe = recipe
        self._train = QuantizedSamples(network, train)
        self._held_out = None if held_out is None else QuantizedSamples(network, held_out)
        check_recipe(network, recipe, self._train, held_out is not None)
        self._weights = sample_weights(recipe, train)
        # Without weights of their own, all classes count, also those without a sample.
        ends: tuple[float, ...] = ()
        if train.weight is not None and self._weights is not None:
            ends = (float(self._weights.min()), float(self._weights.max()))
        self._update = weight_update(network, recipe, self.batches, self._sizes, ends)
        self.update_frac = self._update.update_frac
        self._data = self._train.checksum()
        if before is not None:
            start = carried(before, network, recipe, self.update_frac, self._data)
        self._start = start
        self._first = weights
        if weights is not None:
            check_master(network, weights)
        if start is not None:
            if weights is not None:
                raise InputError("the checkpoint has its own weights; give no initial weights")
            check_start(network, recipe, self.update_frac, self._data, start)
            has_classes = self._train.labels is not None
            check_progress(start, recipe.epochs, self.samples, has_classes)
        self._rewind()

    @cached_property
    def batches(self) -> int:
        """Batches in an epoch."""
        return self.recipe.batches(len(self._train))

    @property
    def samples(self) -> int:
        """Training samples in an epoch."""
        return len(self._train)

    @cached_property
    def _sizes(self) -> set[int]:
        # They differ by one at most. A short last batch would need a rate of its own, and with it
        # a headroom of its own.
        return {-(-self.samples // self.batches), self.samples // self.batches}

    def loss_so_far(self, done: int) -> float:
        """Return the mean loss of the first `done` samples of the current epoch."""
        return self._tally.loss / done

    @property
    def finished(self) -> bool:
        """Whether all epochs are finished or early stopping has ended the run."""
        stopped = self._stop is not None and self._stop.due(self.epoch)
        return stopped or self.epoch >= self.recipe.epochs

    def run(
        self, device: Device, on_batch: Callable[[int], None] = lambda done: None
    ) -> Iterator[Record]:
        """Train, yielding a record after every epoch.

        Parameters
        ----------
        device : Device
            It stays open and holds the weights afterwards.
        on_batch : callable
            Called after every batch with the number of samples trained in this epoch; it may call
            `checkpoint`.

        Raises
        ------
        FitError
            If the network does not fit the device.
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
        """Read the state after the last batch from the device of the run."""
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
        """Measure the weights that `run` left in a device.

        They are measured on the held-out samples, or on the training samples if there are none.
        """
        data = self._held_out or self._train
        outputs = infer(device, data.x, self.recipe.dropout)
        return Evaluation.of(self.network, data.samples, outputs)

    def _first_weights(self) -> list[Ints]:
        if self._first is None:
            return initial_master_weights(self.network, self.recipe.seed, self.recipe.initialiser)
        return [w.astype(np.int64) for w in self._first]

    def _rewind(self) -> None:
        """Return to the beginning of the run."""
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
        stream = bool(self._train.samples.parts)
        parts = epoch_batches(self.recipe.seed, self.epoch, self.samples, self.batches, stream)
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
        x = draw_shifts(self.recipe, self.epoch, self.batch, data.x[chosen])
        masks = draw_dropout(self.network, self.recipe, self.epoch, self.batch, len(x))
        weights = None if self._weights is None else self._weights[chosen]
        number = self.epoch * self.batches + self.batch
        outputs = self._update.batch(device, number, x, data.target[chosen], weights, masks)
        self.batch += 1
        loss, right = data.score(chosen, outputs)
        tally, ends = self._tally, data.samples.parts
        self._tally = replace(
            tally,
            parts=add_losses(tally.parts, ends, chosen, data.losses(chosen, outputs))
            if ends
            else (),
            loss=tally.loss + loss,
            right=tally.right + right,
            seconds=tally.seconds + perf_counter() - clock,
        )

    def _count(self, device: Device, training: bool) -> Counters:
        """Add the counts of the device since the last call, and return them."""
        now = device.counters()
        spent, self._mark = now - self._mark, now
        clipped = spent.saturated_weights + self._update.clipped()
        spent = replace(spent, saturated_weights=clipped)
        self.counters = self.counters + spent
        if training:
            self._tally = replace(self._tally, counters=self._tally.counters + spent)
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
            saturations=(spent + measured).saturations,
            part_losses=mean_losses(tally.parts, self._train.samples.parts),
        )

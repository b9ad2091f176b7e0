"""The training loop: batches into a device, a record out of every epoch.

Nothing here computes what the device computes; losses and accuracies come from the outputs it
returns while it trains, so an epoch is one pass.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from .checkpoint import Checkpoint
from .data import Samples
from .devices import Counters, Device
from .errors import InputError
from .network import Network
from .recipe import Recipe
from .settings import Settings, make_settings, update_frac

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Record:
    """One epoch.

    Parameters
    ----------
    epoch : int
        From 1.
    loss, accuracy : float
        Of the training samples, each measured before its batch moved the weights. An accuracy is
        None where samples have no classes.
    held_out_loss, held_out_accuracy : float or None
        After the epoch; None without held-out samples.
    samples_per_s : float
        Training only.
    cycles_per_sample : float or None
        Of the engine, training only; None where the device has no clock.
    kept_fraction : float
        Share of the tangents crossing hidden layers that was kept.
    saturations : int
        Everything clipped, in training and measuring.
    """

    epoch: int
    loss: float
    accuracy: float | None
    held_out_loss: float | None
    held_out_accuracy: float | None
    samples_per_s: float
    cycles_per_sample: float | None
    kept_fraction: float
    saturations: int


class _Integers:
    """Samples in a network's formats; raises `InputError` for what does not fit them."""

    def __init__(self, network: Network, samples: Samples) -> None:
        self.x = network.quantize_inputs(samples.x)
        self.target = network.quantize_targets(samples.target)
        self.labels = samples.labels
        if not len(self.x) or len(self.x) != len(self.target):
            raise InputError(f"{len(self.x)} inputs for {len(self.target)} targets; match them")

    def __len__(self) -> int:
        return len(self.x)

    def score(
        self, network: Network, order: NDArray[np.intp] | slice, outputs: Ints
    ) -> tuple[float, float | None]:
        """Mean loss and accuracy of `outputs`, which answer the samples in `order`."""
        real = network.output_format.real
        losses = network.objective.value(real(outputs), real(self.target[order]))
        if self.labels is None:
            return float(losses.mean()), None
        return float(losses.mean()), float((outputs.argmax(axis=1) == self.labels[order]).mean())


class Trainer:
    """A run: network, recipe and data, checked before any device is touched.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    train : Samples
    held_out : Samples or None
    start : Checkpoint or None
        Where to go on; its network, seed and `update_frac` must be those of this run.

    Raises
    ------
    InputError
        For samples or settings the network cannot take, or a `start` of another run.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        train: Samples,
        held_out: Samples | None = None,
        start: Checkpoint | None = None,
    ) -> None:
        self.network = network
        self.recipe = recipe
        self._train = _Integers(network, train)
        self._held_out = None if held_out is None else _Integers(network, held_out)
        self.update_frac = update_frac(network, recipe.lr, min(self._sizes))
        self._settings = {size: self._settings_for(size) for size in self._sizes}
        self._start = start
        if start is not None and (start.network, start.update_frac, start.recipe.seed) != (
            network,
            self.update_frac,
            recipe.seed,
        ):
            raise InputError("the checkpoint is of another run; give its network, rate and seed")
        self.epoch = 0 if start is None else start.epoch

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

    def _settings_for(self, size: int) -> Settings:
        recipe = self.recipe
        return make_settings(
            self.network, self.update_frac, recipe.lr, size, recipe.momentum, recipe.prune
        )

    def run(
        self, device: Device, on_batch: Callable[[int], None] = lambda done: None
    ) -> Iterator[Record]:
        """Train, yielding a record after every epoch.

        Parameters
        ----------
        device : Device
            Stays open, and holds the weights afterwards.
        on_batch : callable
            Called after every batch with the samples done in this epoch.

        Raises
        ------
        FitError
            When the network does not fit the device.
        """
        device.configure(self.network, self.update_frac)
        if self._start is None:
            weights = self.network.initial_weights(self.recipe.seed)
            velocity = [np.zeros_like(w) for w in weights]
        else:
            weights, velocity = self._start.weights, self._start.velocity
        device.write_weights(weights)
        device.write_velocity(velocity)
        self.epoch = 0 if self._start is None else self._start.epoch
        while self.epoch < self.recipe.epochs:
            yield self._one_epoch(device, on_batch)

    def checkpoint(self, device: Device) -> Checkpoint:
        """The state after the last whole epoch, read from the device between two records."""
        return Checkpoint(
            self.network,
            self.recipe,
            self.update_frac,
            self.epoch,
            device.read_weights(),
            device.read_velocity(),
        )

    def _one_epoch(self, device: Device, on_batch: Callable[[int], None]) -> Record:
        order = np.random.default_rng((self.recipe.seed, self.epoch)).permutation(self.samples)
        outputs = np.empty_like(self._train.target)
        before, clock = device.counters(), perf_counter()
        done = 0
        for chosen in np.array_split(order, self.batches):
            device.set(self._settings[len(chosen)])
            outputs[done : done + len(chosen)] = device.train(
                self._train.x[chosen], self._train.target[chosen]
            )
            device.apply()
            done += len(chosen)
            on_batch(done)
        seconds = perf_counter() - clock
        spent = device.counters() - before
        self.epoch += 1
        loss, accuracy = self._train.score(self.network, order, outputs)
        held_out = self._measure(device)
        return self._record(
            (loss, accuracy), held_out, seconds, spent, (device.counters() - before).saturations
        )

    def _measure(self, device: Device) -> tuple[float | None, float | None]:
        if self._held_out is None:
            return None, None
        outputs = device.infer(self._held_out.x)
        return self._held_out.score(self.network, slice(None), outputs)

    def _record(
        self,
        train: tuple[float, float | None],
        held_out: tuple[float | None, float | None],
        seconds: float,
        spent: Counters,
        saturations: int,
    ) -> Record:
        return Record(
            self.epoch,
            *train,
            *held_out,
            samples_per_s=self.samples / seconds,
            cycles_per_sample=spent.cycles / self.samples if spent.cycles else None,
            kept_fraction=spent.kept_fraction,
            saturations=saturations,
        )

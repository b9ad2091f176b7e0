# SPDX-License-Identifier: BSD-2-Clause

"""Training in floating point, by forward mode and an optimiser.

The order of the samples and their batches are those of `dualgate.train.trainer`, so that a run in
floating point can be compared with one on a device.
"""

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..contract.errors import InputError
from ..contract.network import Network
from ..data.metrics import accuracy, predicted_labels
from ..data.samples import Samples
from ..optim.initialisers import initial_weights
from ..optim.regularisation import Dropout, EarlyStopping
from ..train.chance import epoch_batches
from ..train.record import Record
from ..train.stream import add_losses, mean_losses
from .forward_mode import ForwardMode, Trace
from .losses import Loss
from .recipe import FloatRecipe

Floats = NDArray[np.floating[Any]]


class FloatTrainer:
    """A training run in floating point.

    Parameters
    ----------
    mode : ForwardMode
        The network, its loss, the pruning policy and the frozen layers.
    recipe : FloatRecipe
    train : Samples
        Weights of samples count as in `train.weighting.sample_weights`.
    held_out : Samples or None
    weights : sequence of array (inputs + 1, outputs) or None
        Initial weights; by default `initial_weights` of the recipe's seed.
    dtype
        Precision of all arithmetic: float64 or float32.

    Members
    -------
    weights : list of array
    state : State
        State of the optimiser, for the layers that learn.
    epoch : int
        Number of finished epochs.

    Raises
    ------
    InputError
        For samples or weights that do not fit the network, or are not finite.
    """

    def __init__(
        self,
        mode: ForwardMode,
        recipe: FloatRecipe,
        train: Samples,
        held_out: Samples | None = None,
        weights: Sequence[Floats] | None = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        self.mode = mode
        self.recipe = recipe
        self._train = _Reals(mode, train, dtype)
        self._held_out = None if held_out is None else _Reals(mode, held_out, dtype)
        if weights is None:
            weights = initial_weights(mode.network, seed=recipe.seed)
        self.weights = _checked(mode.network, weights, dtype)
        self._learning = [i for i in range(len(self.weights)) if i not in mode.frozen]
        self.state = recipe.optimiser.start(self._of_learning(self.weights))
        self.epoch = 0
        self._kept = self._dropped = 0  # tangents, in this epoch
        self._dropout = Dropout(recipe.dropout, recipe.seed) if recipe.dropout else None
        self._weight: Floats | None = None
        if recipe.class_weights is not None:
            weight = mode.objective.weigh(self._train.target, recipe.class_weights)
            self._weight = weight.astype(dtype)
        if train.weight is not None:
            relative = (train.weight / train.weight.mean()).astype(dtype)[:, None]
            self._weight = relative if self._weight is None else self._weight * relative

    def run(
        self,
        stop: EarlyStopping | None = None,
        on_batch: Callable[[int], None] = lambda done: None,
    ) -> Iterator[Record]:
        """Train, yielding a record after every epoch.

        Parameters
        ----------
        stop : EarlyStopping or None
            May end the run before its last epoch. After the run the best weights are restored.
        on_batch : callable
            Called after every batch with the number of samples trained in this epoch.

        Raises
        ------
        InputError
            For `stop` without held-out samples.
        """
        if stop is not None and self._held_out is None:
            raise InputError("early stopping watches held-out samples; give some")
        while self.epoch < self.recipe.epochs:
            record = self._one_epoch(on_batch)
            stopped = False
            if stop is not None and record.held_out_loss is not None:
                stopped = stop.update(record.epoch, record.held_out_loss, self.weights)
            yield record
            if stopped:
                break
        if stop is not None and stop.weights:
            self.weights = [w.copy() for w in stop.weights]

    def step(self, x: Floats, target: Floats, weight: Floats | None = None) -> Trace:
        """Train on one batch.

        Parameters
        ----------
        x : (samples, inputs)
        target : (samples, outputs)
        weight : array or None
            Weights of the terms of the loss; see `Loss.weigh`.

        Returns
        -------
        Trace
            The forward pass, with the weights before the step.
        """
        masks = None
        if self._dropout is not None:
            masks = self._dropout.masks(self.mode.network, len(x), x.dtype)
        gradient = self.mode.gradient(self.weights, x, target, weight, masks)
        self._kept += gradient.kept
        self._dropped += gradient.dropped
        old = self._of_learning(self.weights)
        slopes = self._of_learning(gradient.weights)
        if self.recipe.penalty is not None:
            slopes = self.recipe.penalty.add(slopes, old)
        new, self.state = self.recipe.optimiser.step(old, slopes, self.state)
        for index, w in zip(self._learning, new, strict=True):
            self.weights[index] = w
        return gradient.trace

    def _of_learning(self, arrays: Sequence[Floats]) -> list[Floats]:
        return [arrays[i] for i in self._learning]

    def _one_epoch(self, on_batch: Callable[[int], None]) -> Record:
        data, size = self._train, len(self._train)
        count = -(-size // self.recipe.batch)
        batches = epoch_batches(self.recipe.seed, self.epoch, size, count, bool(data.parts))
        self._kept = self._dropped = 0
        losses, outputs = np.empty(size), np.empty_like(data.target)
        done, clock = 0, perf_counter()
        for chosen in batches:
            weight = None if self._weight is None else self._weight[chosen]
            trace = self.step(data.x[chosen], data.target[chosen], weight)
            part = slice(done, done + len(chosen))
            losses[part] = _losses(self.mode.objective, trace, data.target[chosen])
            outputs[part] = trace.outputs
            done += len(chosen)
            on_batch(done)
        seconds = perf_counter() - clock
        self.epoch += 1
        held_out = (None, None) if self._held_out is None else self._measure(self._held_out)
        crossed = self._kept + self._dropped
        return Record(
            epoch=self.epoch,
            loss=data.mean(losses, np.concatenate(batches)),
            accuracy=data.accuracy(outputs, np.concatenate(batches)),
            held_out_loss=held_out[0],
            held_out_accuracy=held_out[1],
            samples_per_s=size / seconds,
            cycles_per_sample=None,
            kept_fraction=self._kept / crossed if crossed else 1.0,
            saturations=0,
            part_losses=mean_losses(
                add_losses((), data.parts, np.concatenate(batches), losses), data.parts
            ),
        )

    def _measure(self, data: "_Reals") -> tuple[float, float | None]:
        trace = self.mode.forward(self.weights, data.x)
        losses = _losses(self.mode.objective, trace, data.target)
        return data.mean(losses, slice(None)), data.accuracy(trace.outputs, slice(None))


class _Reals:
    """Samples in the precision of the run."""

    def __init__(self, mode: ForwardMode, samples: Samples, dtype: DTypeLike) -> None:
        network = mode.network
        self.x = _matrix(samples.x, network.sizes[0], "inputs", dtype)
        wanted = _matrix(samples.target, network.sizes[-1], "targets", np.float64)
        self.target = mode.objective.rule.transformed(wanted).astype(dtype)
        self.labels = samples.labels
        self.parts = samples.parts
        self._weight = samples.weight
        if not len(self.x) or len(self.x) != len(self.target):
            raise InputError(f"{len(self.x)} inputs for {len(self.target)} targets; match them")

    def __len__(self) -> int:
        return len(self.x)

    def mean(self, losses: Floats, order: NDArray[np.intp] | slice) -> float:
        """Return the mean, by weight, of the losses of the samples in `order`."""
        weights = None if self._weight is None else self._weight[order]
        return float(np.average(losses, weights=weights))

    def accuracy(self, outputs: Floats, order: NDArray[np.intp] | slice) -> float | None:
        """Return the accuracy of `outputs` for the samples in `order`; None without classes."""
        if self.labels is None:
            return None
        return accuracy(self.labels[order], predicted_labels(outputs))


def _losses(loss: Loss, trace: Trace, target: Floats) -> Floats:
    return np.asarray(loss.of_samples(trace.z, trace.outputs, target))


def _matrix(array: NDArray[Any], width: int, what: str, dtype: DTypeLike) -> Floats:
    result: Floats = np.ascontiguousarray(array, dtype)
    if result.ndim != 2 or result.shape[1] != width:
        raise InputError(f"{what} have shape {result.shape}; the network takes (samples, {width})")
    if not np.isfinite(result).all():
        raise InputError(f"{what} are not all finite numbers; clean the data first")
    return result


def _checked(network: Network, weights: Sequence[Floats], dtype: DTypeLike) -> list[Floats]:
    need = [(layer.rows, layer.outputs) for layer in network.layers]
    have = [np.shape(w) for w in weights]
    if have != need:
        raise InputError(f"weights have shapes {have}; the network needs {need}")
    return [np.array(w, dtype) for w in weights]

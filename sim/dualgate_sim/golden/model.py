# SPDX-License-Identifier: BSD-2-Clause

"""The golden model: the arithmetic of the engine, bit for bit, for a batch at a time.

It defines the results and no schedule: sums are exact integers, so that neither their order nor the
number of lanes matters. Integers in sums of products are stored in arrays of float64, because BLAS
adds integers exactly below 2**53; `exact.exact` asserts that bound. Every scaling is by a power of
two and therefore exact, and every narrowing is an explicit floor.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from dualgate.contract.activations import SOFTMAX, Activation, softmax_rule
from dualgate.contract.commands import Masks
from dualgate.contract.engine import EngineParameters
from dualgate.contract.formats import (
    MASTER_WIDTH,
    MOMENTUM_FRAC,
    UNIT_FRAC,
    VALUE_WIDTH,
    VELOCITY_KEPT_WIDTH,
    round_shift,
    saturate,
)
from dualgate.contract.network import Layer, Network
from dualgate.contract.settings import Settings

from .exact import HALF_RANGE, Floats, Ints, Pass, Tally, exact, narrow
from .tangents import tag_updates


def mac_weights(master: Sequence[Ints]) -> list[Floats]:
    """Return the upper half of master weights, (inputs + 1, outputs) a layer, for the MAC."""
    return [(w >> (MASTER_WIDTH - VALUE_WIDTH)).astype(np.float64) for w in master]


class _Lookup:
    """A table of `Activation.rule` over all pre-activations, for speed."""

    _tables: ClassVar[dict[str, tuple[Floats, Floats]]] = {}

    @classmethod
    def apply(cls, activation: Activation, z: Floats) -> tuple[Floats, Floats]:
        if activation is SOFTMAX:
            value = softmax_rule(z.astype(np.int64)).astype(np.float64)
            return value, np.full_like(value, 1 << UNIT_FRAC)
        if activation.name not in cls._tables:
            rule = activation.rule(np.arange(-HALF_RANGE, HALF_RANGE))
            cls._tables[activation.name] = (rule[0].astype(np.float64), rule[1].astype(np.float64))
        values, slopes = cls._tables[activation.name]
        index = (z + HALF_RANGE).astype(np.intp)
        return values[index], slopes[index]


def pre_activations(layer: Layer, weights: Floats, inputs: Floats, tally: Tally) -> Floats:
    """Compute the pre-activations (samples, outputs) of a layer; clipped ones are counted."""
    sums = inputs @ weights[:-1] + layer.one * weights[-1]
    return narrow(sums, layer.z_shift, tally, "saturated_values")


def forward(
    network: Network,
    weights: Sequence[Floats],
    x: Ints,
    engine: EngineParameters,
    tally: Tally,
    masks: Masks | None = None,
) -> Pass:
    """Compute values and slopes of every layer.

    Parameters
    ----------
    network : Network
    weights : list of (inputs + 1, outputs), from `mac_weights`
    x : int array (samples, inputs)
    engine : EngineParameters
        Only the counts of rows depend on it.
    tally : Tally
        The counts are added to it.
    masks : sequence of bool array (samples, units) or None
        For each hidden layer, the units that take part; value and slope of the others are zero.
    """
    result = Pass()
    a = x.astype(np.float64)
    every = [None] * len(network.layers) if masks is None else [*masks, None]
    for layer, w, mask in zip(network.layers, weights, every, strict=True):
        exact(layer.rows)
        result.inputs.append(a)
        z = pre_activations(layer, w, a, tally)
        tally.value_rows += engine.groups_of(layer) * (int(np.count_nonzero(a != 0)) + len(a))
        a, slope = _Lookup.apply(layer.activation, z)
        if mask is not None:
            a, slope = a * mask, slope * mask
        result.slopes.append(slope)
    result.outputs = a
    return result


def output_updates(
    network: Network, settings: Settings, done: Pass, target: Ints, tally: Tally
) -> Floats:
    """Compute the update scalars of the outputs, ``error * rate``, (samples, outputs)."""
    error = narrow(done.outputs - target, 0, tally, "saturated_updates")
    if network.objective.sloped:
        error = np.floor((error * done.slopes[-1]) * 2.0**-UNIT_FRAC + 0.5)
    return narrow(error * settings.rate_mantissa, settings.rate_shift, tally, "saturated_updates")


def accumulate(
    layer: Layer, inputs: Floats, update: Floats, engine: EngineParameters, tally: Tally
) -> Ints:
    """Compute the sum of a layer's outer products of inputs and update scalars.

    It is the gain of the velocity.

    Parameters
    ----------
    inputs : (samples, inputs)
    update : (samples, outputs)

    Returns
    -------
    int array (inputs + 1, outputs)
    """
    exact(len(inputs))
    starts = np.arange(0, layer.outputs, engine.neurons)
    groups = np.add.reduceat(update != 0, starts, axis=1, dtype=np.int64) > 0
    rows = np.count_nonzero(inputs != 0, axis=1) + 1
    tally.update_rows += int((groups.sum(axis=1) * rows).sum())
    return np.concatenate(
        (inputs.T @ update, layer.one * update.sum(axis=0, keepdims=True))
    ).astype(np.int64)


def gradient(
    network: Network,
    weights: Sequence[Floats],
    settings: Settings,
    x: Ints,
    target: Ints,
    engine: EngineParameters,
    tally: Tally,
    masks: Masks | None = None,
) -> tuple[Floats, list[Ints]]:
    """Compute the outputs (samples, outputs), and each layer's gain of velocity."""
    done = forward(network, weights, x, engine, tally, masks)
    update = output_updates(network, settings, done, target, tally)
    updates = [
        tag_updates(network, weights, settings, done, update, index, engine, tally)
        for index in range(len(network.layers) - 1)
    ]
    gains = [
        accumulate(layer, inputs, u * (not layer.frozen), engine, tally)
        for layer, inputs, u in zip(network.layers, done.inputs, [*updates, update], strict=True)
    ]
    return done.outputs, gains


def apply(
    weight: Ints, velocity: Ints, shift: int, bias: int, momentum: int, tally: Tally
) -> tuple[Ints, Ints]:
    """Return the state of a layer after a batch: ``w - v`` and ``v * momentum``, saturated.

    Parameters
    ----------
    weight, velocity : int arrays of one shape
    shift, bias : int
        `apply_shift` of the descriptor and `formats.APPLY_BIAS`.
    momentum : int
        `MOMENTUM_FRAC` fraction bits.
    """
    step = round_shift(velocity << bias, shift)
    weight, clipped = saturate(weight - step, MASTER_WIDTH)
    left, too_fast = saturate(round_shift(velocity * momentum, MOMENTUM_FRAC), VELOCITY_KEPT_WIDTH)
    tally.saturated_weights += clipped + too_fast
    return weight, left

"""The golden model: what the engine computes, bit for bit, a batch at a time.

It says what is computed and never when: sums are exact integers, so their order, the lanes and the
schedule do not matter. Arrays of float64 carry the integers wherever a sum of products is taken,
because BLAS adds integers exactly below 2**53; `_exact` holds that bound. Every scaling is by a
power of two, hence exact, and every narrowing is a floor written out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dualgate.engine import EngineParameters
from dualgate.formats import (
    MASTER_WIDTH,
    MOMENTUM_FRAC,
    UNIT_FRAC,
    VALUE_WIDTH,
    VELOCITY_KEPT_WIDTH,
    WEIGHT_FRAC,
    round_shift,
    saturate,
)
from dualgate.network import Layer, Network
from dualgate.rules import SOFTMAX, Activation, softmax_rule
from dualgate.settings import PRUNE_OFF, Settings

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_HALF_RANGE = 1 << (VALUE_WIDTH - 1)
_DELTA_SHIFT_MIN = -VALUE_WIDTH
_DELTA_SHIFT_MAX = 47


@dataclass
class Tally:
    """Counts of one call; names as in `commands.COUNTERS`."""

    value_rows: int = 0
    tangent_rows: int = 0
    scale_rows: int = 0
    update_rows: int = 0
    kept: int = 0
    dropped: int = 0
    saturated_values: int = 0
    saturated_updates: int = 0
    saturated_weights: int = 0


@dataclass
class Pass:
    """What a forward pass leaves: inputs of each layer, slopes of each layer, outputs.

    Each is (samples, units), integers carried by float64.
    """

    inputs: list[Floats] = field(default_factory=list)
    slopes: list[Floats] = field(default_factory=list)
    outputs: Floats = field(default_factory=lambda: np.empty((0, 0)))


def mac_weights(master: Sequence[Ints]) -> list[Floats]:
    """The upper half of master weights, as the MAC reads it; (inputs + 1, outputs) a layer."""
    return [(w >> (MASTER_WIDTH - VALUE_WIDTH)).astype(np.float64) for w in master]


def _exact(terms: int) -> None:
    """Assert that `terms` products of 16-bit numbers add exactly in float64."""
    assert terms << (2 * VALUE_WIDTH - 2) < 1 << 53, "sum of products leaves the exact range"


def _narrow(x: Floats, shift: Floats | int, tally: Tally, counter: str) -> Floats:
    """Rounding shift to 16 bits, saturating; clipped entries are added to `counter`."""
    rounded = np.floor(x * np.exp2(-np.asarray(shift, np.float64)) + 0.5)
    clipped: Floats = np.clip(rounded, -_HALF_RANGE, _HALF_RANGE - 1)
    count = int(np.count_nonzero(clipped != rounded))
    setattr(tally, counter, getattr(tally, counter) + count)
    return clipped


class _Lookup:
    """`Activation.rule` tabulated over all pre-activations; the same numbers, faster."""

    _tables: ClassVar[dict[str, tuple[Floats, Floats]]] = {}

    @classmethod
    def apply(cls, activation: Activation, z: Floats) -> tuple[Floats, Floats]:
        if activation is SOFTMAX:
            value = softmax_rule(z.astype(np.int64)).astype(np.float64)
            return value, np.full_like(value, 1 << UNIT_FRAC)
        if activation.name not in cls._tables:
            rule = activation.rule(np.arange(-_HALF_RANGE, _HALF_RANGE))
            cls._tables[activation.name] = (rule[0].astype(np.float64), rule[1].astype(np.float64))
        values, slopes = cls._tables[activation.name]
        index = (z + _HALF_RANGE).astype(np.intp)
        return values[index], slopes[index]


def forward(
    network: Network, weights: Sequence[Floats], x: Ints, engine: EngineParameters, tally: Tally
) -> Pass:
    """Values and slopes of every layer.

    Parameters
    ----------
    network : Network
    weights : list of (inputs + 1, outputs), from `mac_weights`
    x : int array (samples, inputs)
    engine : EngineParameters
        Only for counting rows.
    tally : Tally
        Counts are added here.
    """
    result = Pass()
    a = x.astype(np.float64)
    for layer, w in zip(network.layers, weights, strict=True):
        _exact(layer.rows)
        result.inputs.append(a)
        z = _narrow(a @ w[:-1] + layer.one * w[-1], layer.z_shift, tally, "saturated_values")
        tally.value_rows += engine.groups_of(layer) * (int(np.count_nonzero(a)) + len(a))
        a, slope = _Lookup.apply(layer.activation, z)
        result.slopes.append(slope)
    result.outputs = a
    return result


def output_updates(
    network: Network, settings: Settings, done: Pass, target: Ints, tally: Tally
) -> Floats:
    """Update scalars of the outputs: ``error * rate``, (samples, outputs)."""
    error = _narrow(done.outputs - target, 0, tally, "saturated_updates")
    if network.objective.sloped:
        error = np.floor((error * done.slopes[-1]) * 2.0**-UNIT_FRAC + 0.5)
    return _narrow(error * settings.rate_mantissa, settings.rate_shift, tally, "saturated_updates")


def normalise(sums: Floats) -> tuple[Floats, Floats]:
    """Block floating point: the least shift that brings a vector's sums into 16 bits.

    Parameters
    ----------
    sums : (..., n)

    Returns
    -------
    mantissas : (..., n), floored
    shift : (...)
    """
    magnitude = np.maximum(sums.max(axis=-1), -1.0 - sums.min(axis=-1))
    shift = np.maximum(np.frexp(magnitude)[1] - (VALUE_WIDTH - 1), 0)
    scale = np.exp2(-shift.astype(np.float64))
    return np.floor(sums * scale[..., None]), shift.astype(np.float64)


def prune(mantissas: Floats, setting: int, tally: Tally) -> Floats:
    """Zero the entries far below their vector's largest; count the nonzero ones kept and dropped.

    An entry stays when ``|m| * 2**p >= 2**b``, b the bit length of the largest magnitude: the
    largest always does. p = `PRUNE_OFF` keeps all.
    """
    nonzero = kept = int(np.count_nonzero(mantissas))
    if setting != PRUNE_OFF:
        magnitude = np.abs(mantissas)
        bits = np.frexp(magnitude.max(axis=-1))[1].astype(np.float64)
        # The threshold is above zero, so what is kept is not zero.
        keep = magnitude >= np.exp2(bits - setting)[..., None]
        mantissas = mantissas * keep
        kept = int(np.count_nonzero(keep))
    tally.kept += kept
    tally.dropped += nonzero - kept
    return mantissas


def _alive(sums: Floats, groups: int, tally: Tally, seen: list[Bools] | None) -> None:
    """Count the rows of the vectors that have a sum which is not zero; note which these are."""
    alive: Bools = np.any(sums, axis=-1)
    tally.scale_rows += int(np.count_nonzero(alive)) * groups
    if seen is not None:
        seen.append(alive)


def tag_updates(
    network: Network,
    weights: Sequence[Floats],
    settings: Settings,
    done: Pass,
    update: Floats,
    tag_layer: int,
    engine: EngineParameters,
    tally: Tally,
    seen: list[Bools] | None = None,
) -> Floats:
    """Update scalars of one hidden layer: each of its units is a tag carried to the outputs.

    Parameters
    ----------
    tag_layer : int
        Index of the layer whose units are the tags.
    update : (samples, outputs)
        From `output_updates`.
    seen : list
        Takes what is not zero, in the order of the layers entered: for each whether any sum is,
        (samples, tags), and for each but the last which entries are kept, (samples, tags, units).

    Returns
    -------
    (samples, units of the tag layer)
    """
    layers = network.layers
    birth = done.slopes[tag_layer]
    samples, tags = birth.shape
    frac = np.full((samples, tags), float(layers[tag_layer].activation.slope_frac))
    following = layers[tag_layer + 1]
    tally.tangent_rows += int(np.count_nonzero(birth)) * engine.groups_of(following)
    sums = birth[:, :, None] * weights[tag_layer + 1][:-1]
    for index in range(tag_layer + 1, len(layers) - 1):
        layer = layers[index]
        _alive(sums, engine.groups_of(layer), tally, seen)
        mantissas, shift = normalise(sums)
        mantissas *= done.slopes[index][:, None, :]
        before = tally.kept
        mantissas = prune(np.floor(mantissas * 2.0**-UNIT_FRAC + 0.5), settings.prune, tally)
        if seen is not None:
            seen.append(mantissas != 0)
        frac += WEIGHT_FRAC - shift + layer.activation.slope_frac - UNIT_FRAC
        tally.tangent_rows += (tally.kept - before) * engine.groups_of(layers[index + 1])
        _exact(layer.outputs)
        flat = mantissas.reshape(samples * tags, -1) @ weights[index + 1][:-1]
        sums = flat.reshape(samples, tags, -1)
    _alive(sums, engine.groups_of(layers[-1]), tally, seen)
    mantissas, shift = normalise(sums)
    _exact(layers[-1].outputs)
    delta = (mantissas @ update[:, :, None])[:, :, 0]
    down = np.clip(frac + WEIGHT_FRAC - shift, _DELTA_SHIFT_MIN, _DELTA_SHIFT_MAX)
    return _narrow(delta, down, tally, "saturated_updates")


def accumulate(
    layer: Layer, inputs: Floats, update: Floats, engine: EngineParameters, tally: Tally
) -> Ints:
    """What a layer's velocity gains: the outer products of inputs and update scalars, summed.

    Parameters
    ----------
    inputs : (samples, inputs)
    update : (samples, outputs)

    Returns
    -------
    int array (inputs + 1, outputs)
    """
    _exact(len(inputs))
    starts = np.arange(0, layer.outputs, engine.neurons)
    groups = np.add.reduceat(update != 0, starts, axis=1, dtype=np.int64) > 0
    rows = np.count_nonzero(inputs, axis=1) + 1
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
) -> tuple[Floats, list[Ints]]:
    """Outputs (samples, outputs), and what each layer's velocity gains from these samples."""
    done = forward(network, weights, x, engine, tally)
    update = output_updates(network, settings, done, target, tally)
    updates = [
        tag_updates(network, weights, settings, done, update, index, engine, tally)
        for index in range(len(network.layers) - 1)
    ]
    gains = [
        accumulate(layer, inputs, u, engine, tally)
        for layer, inputs, u in zip(network.layers, done.inputs, [*updates, update], strict=True)
    ]
    return done.outputs, gains


def apply(
    weight: Ints, velocity: Ints, shift: int, bias: int, momentum: int, tally: Tally
) -> tuple[Ints, Ints]:
    """End of a batch for one layer: ``w - v`` and ``v * momentum``, both saturating.

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

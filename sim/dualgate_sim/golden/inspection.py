# SPDX-License-Identifier: BSD-2-Clause

"""Ranges and tangents of a batch, computed by the golden model for reports."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dualgate.contract.commands import Masks
from dualgate.contract.engine import EngineParameters
from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH
from dualgate.contract.network import Network, check_shapes
from dualgate.contract.settings import PRUNE_OFF, Settings
from dualgate.data.spread import Spread, bit_lengths
from dualgate.devices.inspection import GAPS, Crossing, Inspection, LayerUse

from . import model as golden
from .exact import Floats, Pass, Tally
from .tangents import Entered, tag_updates

Ints = NDArray[np.int64]

FLAT = 1 / 16
"""Share of the largest slope below which a unit hardly learns."""

PERCENTILES = (1, 50, 99)


def inspect_batch(
    network: Network,
    weights: Sequence[Ints],
    settings: Settings,
    update_frac: int,
    x: Ints,
    target: Ints,
    masks: Masks | None = None,
) -> Inspection:
    """Run a batch through the golden model and collect the ranges of its numbers.

    Memory grows with samples times the largest product of two hidden layers' sizes.

    Parameters
    ----------
    network : Network
    weights : sequence of int array (inputs + 1, outputs)
        Master weights at the beginning of the batch.
    settings : Settings
    update_frac : int
        Fraction bits of the update scalars.
    x : int array (samples, inputs)
    target : int array (samples, outputs)
    masks : sequence of bool array (samples, units) or None
        As for `Device.train`.
    """
    check_shapes(network, weights)
    read = golden.mac_weights(weights)
    # Only the counts of rows depend on the engine, and they are not used here.
    engine, total = EngineParameters(), Tally()
    done = golden.forward(network, read, x, engine, total, masks)
    last = Tally()
    update = golden.output_updates(network, settings, done, target, last)
    crossings: list[Crossing] = []
    tangents: list[list[Entered]] = [[] for _ in network.layers]
    updates: list[Spread] = []
    for index in range(len(network.layers) - 1):
        tally, entered = Tally(), list[Entered]()
        scalars = tag_updates(
            network, read, settings, done, update, index, engine, tally, None, entered
        )
        updates.append(Spread.of(scalars, VALUE_WIDTH, update_frac, tally.saturated_updates))
        for later, vectors in enumerate(entered, index + 1):
            tangents[later].append(vectors)
        crossings += [
            _crossing(index, later, vectors.mantissas, settings.prune)
            for later, vectors in enumerate(entered[:-1], index + 1)
        ]
    learning = update * (not network.layers[-1].frozen)
    updates.append(Spread.of(learning, VALUE_WIDTH, update_frac, last.saturated_updates))
    layers = (
        _layer(network, read, done, index, updates[index], tangents[index])
        for index in range(len(network.layers))
    )
    return Inspection(len(x), tuple(layers), tuple(crossings))


def _layer(
    network: Network,
    weights: Sequence[Floats],
    done: Pass,
    index: int,
    updates: Spread,
    tangents: Sequence[Entered],
) -> LayerUse:
    layer, tally = network.layers[index], Tally()
    z = golden.pre_activations(layer, weights[index], done.inputs[index], tally)
    values = [*done.inputs[1:], done.outputs][index]
    slopes = done.slopes[index]
    spreads = [Spread.of(v.mantissas, VALUE_WIDTH, 0) for v in tangents]
    return LayerUse(
        sums=Spread.of(z, VALUE_WIDTH, layer.z_frac, tally.saturated_values),
        values=Spread.of(values, VALUE_WIDTH, layer.out_frac),
        updates=updates,
        tangents=sum(spreads[1:], spreads[0]) if spreads else None,
        derivatives=_derivatives(tangents),
        active=np.mean(slopes != 0, axis=0),
        flat=float(np.mean(slopes < FLAT * (1 << UNIT_FRAC))),
    )


def _derivatives(tangents: Sequence[Entered]) -> tuple[float, ...]:
    """Find percentiles of the largest derivative of each tangent that is not zero."""
    exponents = []
    for vectors in tangents:
        bits = bit_lengths(np.abs(vectors.mantissas).max(axis=0)).astype(np.float64)
        exponents.append((bits - vectors.frac)[bits > 0])
    found = np.concatenate(exponents) if exponents else np.empty(0)
    if not len(found):
        return ()
    return tuple(float(2.0**e) for e in np.percentile(found, PERCENTILES, method="nearest"))


def _crossing(tag_layer: int, layer: int, mantissas: Floats, prune: int) -> Crossing:
    """Count the entries of tangents (units, samples, tags), as `prune` keeps them."""
    lengths = bit_lengths(mantissas)
    gaps = lengths.max(axis=0) - lengths
    nonzero = lengths > 0
    kept = nonzero & ((gaps < prune) | (prune == PRUNE_OFF))
    counts = np.bincount(gaps[nonzero], minlength=GAPS)
    return Crossing(tag_layer, layer, kept.mean(axis=1).T, counts, prune)

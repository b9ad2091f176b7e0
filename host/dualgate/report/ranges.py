# SPDX-License-Identifier: BSD-2-Clause

"""Ranges of a run: for each number format of each layer, how much of it is used."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..contract.formats import MASTER, VALUE_WIDTH, VELOCITY_KEPT_WIDTH
from ..data.quantized import QuantizedSamples
from ..data.spread import Spread
from ..devices.inspection import Inspection
from ..train.checkpoint import Checkpoint

INPUTS = "inputs"
TARGETS = "targets"
WEIGHTS = "weights"
SUMS = "pre-activations"
VALUES = "values"
OUTPUTS = "outputs"
TANGENTS = "tangents"
UPDATES = "update scalars"
VELOCITY = "velocities"


@dataclass(frozen=True)
class Range:
    """How much of its format one kind of number uses in one layer.

    Parameters
    ----------
    layer : int
        Position of the layer, from 0.
    what : str
        One of the names of this module.
    spread : Spread
        Tangents are mantissas that share an exponent, so that the binary point of theirs is not
        known here.
    counted : bool
        Whether `Spread.clipped` was counted; otherwise it is 0 and says nothing.
    """

    layer: int
    what: str
    spread: Spread
    counted: bool = False

    def use(self) -> str:
        """Say in words how many bits the largest of the numbers has."""
        return f"{self.what} use {self.spread.bits} of {self.spread.width} bits"


def stored_ranges(state: Checkpoint, samples: QuantizedSamples) -> list[Range]:
    """Find the ranges of what is stored: samples, weights and velocities.

    Parameters
    ----------
    state : Checkpoint
    samples : QuantizedSamples
        Some of the training samples.
    """
    network, last = state.network, len(state.network.layers) - 1
    inputs = Spread.of(samples.x, VALUE_WIDTH, network.input_frac)
    targets = Spread.of(samples.target, VALUE_WIDTH, network.layers[-1].out_frac)
    found = [Range(0, INPUTS, inputs), Range(last, TARGETS, targets)]
    for index, (layer, w, v) in enumerate(
        zip(network.layers, state.weights, state.velocity, strict=True)
    ):
        found.append(Range(index, WEIGHTS, Spread.of(w, MASTER.width, MASTER.frac)))
        if v.any():
            frac = layer.in_frac + state.update_frac
            found.append(Range(index, VELOCITY, Spread.of(v, VELOCITY_KEPT_WIDTH, frac)))
    return found


def inspected_ranges(seen: Inspection) -> list[Range]:
    """Find the ranges of what the golden model computed from samples."""
    found, last = [], len(seen.layers) - 1
    for index, use in enumerate(seen.layers):
        found.append(Range(index, SUMS, use.sums, counted=True))
        found.append(Range(index, OUTPUTS if index == last else VALUES, use.values))
        if use.tangents is not None:
            found.append(Range(index, TANGENTS, use.tangents))
        found.append(Range(index, UPDATES, use.updates, counted=True))
    return found


ORDER = (INPUTS, WEIGHTS, SUMS, VALUES, OUTPUTS, TARGETS, TANGENTS, UPDATES, VELOCITY)


def in_order(ranges: Sequence[Range]) -> list[Range]:
    """Sort ranges by layer, and in each by the way that a sample takes."""
    return sorted(ranges, key=lambda r: (r.layer, ORDER.index(r.what)))

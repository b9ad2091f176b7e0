# SPDX-License-Identifier: BSD-2-Clause

"""The compact engine's cycles: two for each instruction of its program, and what is waited for.

The counts are those of `dualgate_hw.compact.program`, block by block. Which way a sign, a carry or
a clip sends the program is not known from an `Activity`; the longer way is taken, so that this is
somewhat more than is measured, but for clips, and for tags with a binary point so low that their
update scalars have to be doubled. Of a batch's end it is an upper bound.
"""

from dataclasses import dataclass, field

import numpy as np

from ..contract.activations import IDENTITY, LEAKY_RELU, RELU, SIGMOID, SOFTMAX, STEP, TANH
from ..contract.commands import mask_words
from ..contract.engine import EngineParameters
from ..contract.network import Layer, Network
from .activity import Activity

INSTRUCTION = 2
"""Cycles."""

OVERHEAD = 34
"""Instructions of a sample, or of a batch's end, that are counted together: its header, and the
counting."""

CURVES = {IDENTITY: 1, RELU: 3, LEAKY_RELU: 5, SIGMOID: 31, TANH: 29, SOFTMAX: 2, STEP: 4}
"""Instructions from a pre-activation to value and slope."""

WALKED = 12
"""Cycles from the beginning of a walk along a list until the program can wait for its end."""

QUOTIENT_BITS, SUM_BITS = 16, 32

LANE_END, MOST_DROPS = 35, 5
"""Cycles that a lane of a row takes at a batch's end, and digits that it is moved down by at
most."""


def walk(entries: int, each: int = 1, more: int = 4) -> int:
    """Cycles of a walk along a list, beside which other instructions run.

    Parameters
    ----------
    entries : int
    each, more : int
        Cycles of an entry, and besides all of them.
    """
    return max(WALKED, each * entries + more)


@dataclass
class Sample:
    """Cycles and rows of the sample at `index` of a batch.

    Parameters
    ----------
    network : Network
    engine : EngineParameters
    activity : Activity
    index : int
    rows : dict of str to int
        Counted as the steps are asked for their cycles.
    """

    network: Network
    engine: EngineParameters
    activity: Activity
    index: int
    rows: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("value", "sums", "scaler", "update"), 0)
    )

    def _entries(self, layer: int) -> int:
        """Of a layer's list, with its bias."""
        return int(self.activity.inputs[self.index, layer]) + 1

    def load(self) -> int:
        """Twelve instructions an input, eight a target, eleven a word of masks."""
        network = self.network
        inputs = self._entries(0) - 1
        words = -(-network.sizes[0] // 2)
        instructions = OVERHEAD + 34 + 8 * network.sizes[-1]
        if words < inputs:
            instructions += 2 + 13 * words + -(-5 * inputs // 2)
        else:
            instructions += 12 * inputs
        if self.activity.masked:
            instructions += 4 + 11 * mask_words(network)
        return INSTRUCTION * instructions

    def values(self) -> int:
        """A walk for each group, and some thirty instructions for each unit."""
        cycles = INSTRUCTION * 4
        layers = self.network.layers
        for index, layer in enumerate(layers):
            last = layer is layers[-1]
            groups, entries = self.engine.groups_of(layer), self._entries(index)
            self.rows["value"] += groups * entries
            cycles += groups * (INSTRUCTION * 5 + walk(entries))
            each = 8 + CURVES[layer.activation] + 10 + 3 + 3
            instructions = 5 + each * layer.outputs - 3 + groups - 1 + 3
            if last:
                instructions += 3 * layer.outputs
            else:
                instructions += 2 * layer.outputs + 4 * (self._entries(index + 1) - 1) + 15
            if self.activity.masked:
                instructions += (3 if last else 14) * layer.outputs
            cycles += INSTRUCTION * instructions
        return cycles

    def outputs(self) -> int:
        """Softmax, then output after output."""
        last = self.network.layers[-1]
        units = last.outputs
        each = 9 + 17 + 4 + 3 + 8 * self.network.objective.sloped
        instructions = 6 + 1 + each * units + 2
        if last.activation is SOFTMAX:
            least = (units * ((1 << 16) - 1)).bit_length()
            instructions += softmax(units, SUM_BITS - least) + 23 * units
        return INSTRUCTION * instructions

    def tangents(self) -> int:
        """Tag after tag: birth, then layer after layer."""
        layers = self.network.layers
        cycles = INSTRUCTION * (1 + 4)
        for tags, layer in enumerate(layers[:-1]):
            cycles += INSTRUCTION * (8 + 3)
            if layer.frozen:
                continue
            cycles += INSTRUCTION * (6 + 7) * layer.outputs
            for unit in np.flatnonzero(self.activity.seeds[tags][self.index]):
                cycles += INSTRUCTION * 11 + self._tag(tags, int(unit))
        return cycles

    def _tag(self, tags: int, unit: int) -> int:
        crossings = self.activity.crossings[tags]
        later = self.network.layers[tags + 1 :]
        cycles, entries = 0, 1
        for step, layer in enumerate(later):
            groups = self.engine.groups_of(layer)
            self.rows["sums"] += groups * entries
            cycles += groups * (INSTRUCTION * 5 + walk(entries))
            cycles += INSTRUCTION * (8 + 9 * layer.outputs - 3 + groups - 1 + 2)
            if not crossings.alive[step][self.index, unit]:
                break
            self.rows["scaler"] += groups
            cycles += INSTRUCTION * (4 + 7 + 3 + 4)
            if layer is later[-1]:
                cycles += INSTRUCTION * (2 + 8 * layer.outputs + 23)
                break
            sloped = int(np.count_nonzero(self.activity.seeds[tags + 1 + step][self.index]))
            entries = int(np.count_nonzero(crossings.kept[step][self.index, unit]))
            cycles += INSTRUCTION * self._pruned(layer, max(sloped, entries), entries)
            if not entries:
                break
        return cycles

    def _pruned(self, layer: Layer, scaled: int, kept: int) -> int:
        """Instructions that scale and prune a vector; `scaled` entries at most are not zero."""
        scaling = 6 + 13 * layer.outputs + 8 * scaled
        return scaling + (16 + 12 * scaled + 2 * kept if self.activity.pruned else 7) + 18

    def updates(self) -> int:
        """Seven cycles a row of velocities, and some forty instructions a group."""
        cycles = INSTRUCTION * 4
        layers = self.network.layers
        for index, layer in enumerate(layers):
            cycles += INSTRUCTION * (3 + 3 + 4 * (layer is not layers[-1]))
            if layer.frozen:
                continue
            neurons, entries = self.engine.neurons, self._entries(index)
            flags = self.activity.updates[index][self.index]
            cycles += INSTRUCTION * 5
            for first in range(0, layer.outputs, neurons):
                some = int(np.count_nonzero(flags[first : first + neurons]))
                cycles += INSTRUCTION * (3 + 6 * neurons + some + 2 + 8)
                if some:
                    cycles += INSTRUCTION * 3 + walk(entries, each=7, more=1)
                    self.rows["update"] += entries
        return cycles


def softmax(units: int, places: int) -> int:
    """Instructions from pre-activations to powers and the reciprocal of their sum.

    Parameters
    ----------
    units : int
    places : int
        By which the sum is moved up.
    """
    return 3 + 10 * units + 4 + 16 * units + 2 + 7 * places + 2 + 10 + 22 * QUOTIENT_BITS


def batch_end_most(network: Network, engine: EngineParameters) -> int:
    """Most cycles of a batch's end.

    Which rows have a velocity is not known from a batch alone, since momentum remembers the ones
    before.

    Parameters
    ----------
    network : Network
    engine : EngineParameters
    """
    cycles = INSTRUCTION * (OVERHEAD + 4)
    for layer in network.layers:
        groups = engine.groups_of(layer)
        lanes = engine.neurons * (LANE_END + MOST_DROPS)
        row = INSTRUCTION * (2 + 9 + 1 + 2 + 6 + 3) + lanes
        cycles += INSTRUCTION * (6 + 5 * MOST_DROPS + 6 + 7 + 4 * groups)
        cycles += groups * layer.rows * row
    return cycles

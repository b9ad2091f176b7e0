"""The compact engine's cycles: its steps follow each other, so that they are sums.

Exact for samples, but where a tag's binary point is so high that its update scalar must be doubled:
2 cycles for each doubling, in networks of large weights and several hidden layers. A batch's end
is an upper bound.
"""

from dataclasses import dataclass, field

import numpy as np

from ..engine import LAYER_WORDS, EngineParameters
from ..network import Network
from ..rules import SIGMOID, SOFTMAX, TANH
from .activity import Activity

LIST_CYCLES = 5
"""From the request for a group's sums to them, besides a cycle for each entry of the list."""

MOST_DROPS = 5
"""Places of 15 bits, at most, that a batch's end moves a velocity down by."""

PARTS = 19
"""Of an output's division by the sum of powers."""


@dataclass
class Fetches:
    """Descriptors: the last one fetched is kept.

    Parameters
    ----------
    held : int
        Index of the layer it is of; -1 where there is none.
    """

    held: int = -1

    def cycles(self, index: int) -> int:
        """Cycles until the descriptor of the layer at `index` is there."""
        found = 1 if self.held == index else LAYER_WORDS + 2
        self.held = index
        return found


@dataclass
class Sample:
    """Cycles and rows of the sample at `index` of a batch.

    Parameters
    ----------
    network : Network
    engine : EngineParameters
    activity : Activity
    index : int
    fetches : Fetches
    rows : dict of str to int
        Counted as the steps are asked for their cycles.
    """

    network: Network
    engine: EngineParameters
    activity: Activity
    index: int
    fetches: Fetches
    rows: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("value", "sums", "scaler", "update"), 0)
    )

    def _entries(self, layer: int) -> int:
        """Of a layer's list, with its bias."""
        return int(self.activity.inputs[self.index, layer]) + 1

    def load(self) -> int:
        """A word each: targets, masks and inputs."""
        return self.network.layers[-1].outputs + int(self.activity.loads[self.index])

    def values(self) -> int:
        """Of sums two for each unit, of activations three, and four more with the table."""
        cycles = 0
        last = len(self.network.layers) - 1
        for index, layer in enumerate(self.network.layers):
            groups, entries = self.engine.groups_of(layer), self._entries(index)
            table = layer.activation in (SIGMOID, TANH)
            cycles += self.fetches.cycles(index) + groups * (LIST_CYCLES + entries + 1)
            cycles += (2 + 3 + 4 * table) * layer.outputs
            cycles += layer.outputs if index == last else 1
            self.rows["value"] += groups * entries
        return cycles

    def outputs(self) -> int:
        """Softmax, then output after output."""
        units = self.network.layers[-1].outputs
        soft = self.network.layers[-1].activation is SOFTMAX
        each = 11 + PARTS * soft + 4 * self.network.objective.sloped
        return 1 + soft * softmax_cycles(units, self.engine) + each * units

    def tangents(self) -> int:
        """Tag after tag: birth, then layer after layer."""
        layers = self.network.layers
        cycles = 0
        for tags, layer in enumerate(layers[:-1]):
            cycles += self.fetches.cycles(tags)
            if not layer.frozen:
                cycles += 3 * layer.outputs
                for unit in np.flatnonzero(self.activity.births[tags][self.index]):
                    cycles += self._tag(tags, int(unit))
        return cycles + self.fetches.cycles(len(layers) - 1)

    def _tag(self, tags: int, unit: int) -> int:
        crossings = self.activity.crossings[tags]
        later = self.network.layers[tags + 1 :]
        cycles, entries = 0, 1
        for step, layer in enumerate(later):
            groups = self.engine.groups_of(layer)
            cycles += self.fetches.cycles(tags + 1 + step)
            cycles += groups * (LIST_CYCLES + entries) + layer.outputs + 1
            self.rows["sums"] += groups * entries
            if not crossings.alive[step][self.index, unit]:
                break
            self.rows["scaler"] += groups
            if layer is later[-1]:
                cycles += layer.outputs + 8
                break
            cycles += (9 + 3) * layer.outputs + 1
            entries = int(np.count_nonzero(crossings.kept[step][self.index, unit]))
            if not entries:
                break
        return cycles

    def updates(self) -> int:
        """Six cycles a row of velocities."""
        cycles = 0
        for index, layer in enumerate(self.network.layers):
            cycles += self.fetches.cycles(index) + 1
            if layer.frozen:
                continue
            neurons, entries = self.engine.neurons, self._entries(index)
            flags = self.activity.updates[index][self.index]
            for first in range(0, layer.outputs, neurons):
                cycles += 2 * neurons + 1
                if flags[first : first + neurons].any():
                    cycles += 2 + 6 * entries
                    self.rows["update"] += entries
        return cycles


def softmax_cycles(units: int, engine: EngineParameters) -> int:
    """``5 * units``, and 18 and the bits of the largest sum; see the gateware's ``Softmax``.

    Parameters
    ----------
    units : int
    engine : EngineParameters
    """
    return 5 * units + 18 + 16 + (engine.groups * engine.neurons).bit_length()


def batch_end_most(network: Network, engine: EngineParameters) -> int:
    """Most cycles of a batch's end.

    A row takes 6, and 40 for each of its lanes where any has a velocity; which have is not known
    from a batch alone, since momentum remembers the ones before.

    Parameters
    ----------
    network : Network
    engine : EngineParameters
    """
    cycles = 0
    fetches = Fetches()
    for index, layer in enumerate(network.layers):
        rows = engine.groups_of(layer) * layer.rows
        cycles += fetches.cycles(index) + MOST_DROPS + 1
        cycles += rows * (6 + engine.neurons * (35 + MOST_DROPS))
    return cycles

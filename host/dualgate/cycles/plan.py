# SPDX-License-Identifier: BSD-2-Clause

"""A network in an engine, and a sample's nonzeros, as the parts of the model want them."""

from ..contract.activations import SOFTMAX
from ..contract.engine import Depths, EngineParameters
from ..contract.network import Network
from .activity import Activity, per_word
from .chunks import Chunks

MAC_LATENCY = 3
"""Cycles from a request to its product."""

SUMS_LATENCY = 7
"""From a sum's last request to its slot's place in the scaler's queue, or to a free slot."""

STORE_LATENCY = 6
"""From a vector's last scaling to its place in the pruner's queue, or to a free slot."""

DELTA_LATENCY = 8
"""From a tag's last scaling at the outputs to its update scalar, but for the adder tree."""

ACTIVATION_CYCLES = 13
"""From a group's last request to its last value, besides a cycle for each of its units."""

UNIT_CYCLES = ACTIVATION_CYCLES - MAC_LATENCY - 1
"""From a group's last request to that of the next, besides a cycle for each of its units."""


class Plan:
    """A network in an engine.

    Parameters
    ----------
    network : Network
    engine : EngineParameters
    depths : Depths

    Members
    -------
    layers : int
    inputs, outputs : units before and in each layer
    groups : of each layer
    frozen : whether each layer is
    group_units : units of each group of each layer
    levels : of the adder tree over N lanes
    """

    def __init__(self, network: Network, engine: EngineParameters, depths: Depths) -> None:
        self.network = network
        self.engine = engine
        self.depths = depths
        neurons = engine.neurons
        self.layers = len(network.layers)
        self.inputs = [layer.inputs for layer in network.layers]
        self.outputs = [layer.outputs for layer in network.layers]
        self.frozen = [layer.frozen for layer in network.layers]
        self.groups = [engine.groups_of(layer) for layer in network.layers]
        self.group_units = [
            [min(neurons, units - first) for first in range(0, units, neurons)]
            for units in self.outputs
        ]
        self.levels = (neurons - 1).bit_length()

    @property
    def error_cycles(self) -> int:
        """Cycles of the error unit for a sample, from taking its token to offering it.

        The token and the response's header take one each. Softmax makes two passes over the
        outputs, and divides: ``2 * outputs + 25``. An output costs 5 cycles and 4 for each
        multiplication: by softmax's reciprocal, by the slope, by the rate.
        """
        outputs = self.outputs[-1]
        softmax = self.network.layers[-1].activation is SOFTMAX
        multiplications = 1 + softmax + self.network.objective.sloped
        return 2 + softmax * (2 * outputs + 25) + outputs * (5 + 4 * multiplications)

    @property
    def batch_end_cycles(self) -> int:
        """``period * strips * rows + 2 * layers + 7``: strips are those of a row.

        The period is 1 with three arrays, 3 with one.
        """
        rows = sum(g * (n + 1) for g, n in zip(self.groups, self.inputs, strict=True))
        return 3 // self.engine.arrays * self.engine.strips * rows + 2 * self.layers + 7


class Chunk:
    """Tags on their way together: a slot of the tangent lanes.

    Parameters
    ----------
    sample : int
    layer : int
        The layer their vectors enter next.
    size : int
        Tags.
    alive : list of bool
        For each layer from there on, whether any of them is.
    words : list of list of int
        For each hidden layer from there on: rows where any of them keeps an entry, of each word.

    Members
    -------
    crossed : layers crossed since its seed
    """

    __slots__ = ("alive", "crossed", "layer", "sample", "size", "slot", "words")

    def __init__(
        self, sample: int, layer: int, size: int, alive: list[bool], words: list[list[int]]
    ) -> None:
        self.sample = sample
        self.layer = layer
        self.size = size
        self.alive = alive
        self.words = words
        self.crossed = 0
        self.slot = -1


Seeding = list[list[list[Chunk]]]
"""For each hidden layer and word of slopes, the chunks seeded of it."""


class Batch:
    """The nonzeros of a batch, as lists.

    Parameters
    ----------
    plan : Plan
    activity : Activity

    Members
    -------
    samples : int
    counts : entries of the list of each sample and layer, bias included
    loads : cycles of the loader for each sample's targets, masks and inputs
    updates : for each sample and layer, which groups have an update scalar that is not zero
    """

    def __init__(self, plan: Plan, activity: Activity) -> None:
        neurons, lanes = plan.engine.neurons, plan.engine.tangent_lanes
        self.samples = activity.samples
        self.loads: list[int] = (activity.loads + plan.outputs[-1]).tolist()
        self.counts: list[list[int]] = (activity.inputs + 1).tolist()
        updates = [(per_word(flags, neurons) > 0).tolist() for flags in activity.updates]
        self.updates: list[list[list[bool]]] = [list(layers) for layers in zip(*updates)]  # noqa: B905
        chunks = [Chunks(flags, neurons, lanes) for flags in activity.seeds]
        pairs = list(zip(chunks, activity.crossings, strict=True))
        self._sizes = [chunk.sizes.tolist() for chunk in chunks]
        self._alive = [[chunk.any(a).tolist() for a in c.alive] for chunk, c in pairs]
        self._words = [
            [per_word(chunk.any(k), neurons).tolist() for k in c.kept] for chunk, c in pairs
        ]

    def seeds(self, sample: int) -> Seeding:
        """The chunks of a sample."""
        return [
            [
                [
                    self._team(sample, layer, number * len(word) + place, size)
                    for place, size in enumerate(word)
                    if size
                ]
                for number, word in enumerate(sizes[sample])
            ]
            for layer, sizes in enumerate(self._sizes)
        ]

    def _team(self, sample: int, layer: int, chunk: int, size: int) -> Chunk:
        alive = [a[sample][chunk] for a in self._alive[layer]]
        words = [k[sample][chunk] for k in self._words[layer]]
        return Chunk(sample, layer + 1, size, alive, words)

# SPDX-License-Identifier: BSD-2-Clause

"""A network in an engine, and the nonzeros of a batch, in the form that the model uses."""

from ..contract.activations import SOFTMAX
from ..contract.engine import Depths, EngineParameters
from ..contract.network import Network
from .activity import Activity, per_word
from .chunks import Chunks

MAC_LATENCY = 3
"""Cycles from a request to its product."""

SUMS_LATENCY = 7
"""Cycles from a sum's last request until its slot is in the scaler's queue, or free."""

STORE_LATENCY = 6
"""Cycles from a vector's last scaling until its slot is in the pruner's queue, or free."""

DELTA_LATENCY = 8
"""Cycles from a tag's last scaling at the outputs to its update scalar; 1 more per adder level."""

ACTIVATION_CYCLES = 13
"""Cycles from a group's last request to its last value, plus one for each of its units."""

UNIT_CYCLES = ACTIVATION_CYCLES - MAC_LATENCY - 1
"""Cycles from a group's last request to the next group's, plus one for each of its units."""

ERROR_LATENCY = 11
"""Cycles from an output's entry into the error unit's pipeline until its sample is offered."""


class Plan:
    """The sizes of a network in an engine.

    Parameters
    ----------
    network : Network
    engine : EngineParameters
    depths : Depths

    Members
    -------
    layers : int
        Number of layers.
    inputs, outputs : list of int
        Inputs and units of each layer.
    groups : list of int
        Number of groups of each layer.
    frozen : list of bool
        Whether each layer is frozen.
    group_units : list of list of int
        Number of units in each group of each layer.
    levels : int
        Levels of the adder tree over N neurons.
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
    def softmax_cycles(self) -> int:
        """Cycles of softmax for a sample: two passes over the outputs and a division, or none."""
        softmax = self.network.layers[-1].activation is SOFTMAX
        return softmax * (2 * self.outputs[-1] + 25)

    @property
    def error_pace(self) -> int:
        """Cycles of the error unit from taking a sample to taking the next one.

        The response's header and each output take one cycle. The outputs of a sample are in
        progress together with softmax of the next sample, which takes longer.
        """
        return (self.softmax_cycles or self.outputs[-1]) + 1

    @property
    def error_cycles(self) -> int:
        """Cycles of the error unit for a sample, from taking its token to offering the token.

        The last output enters the pipeline ``outputs`` cycles after the response's header.
        """
        return self.softmax_cycles + self.outputs[-1] + ERROR_LATENCY


class Chunk:
    """Tags that step together through the layers, in one slot of the tangent lanes.

    Parameters
    ----------
    sample : int
        The sample that the tags belong to.
    layer : int
        The layer that the tags' vectors enter next; at first the one after their own.
    size : int
        Number of tags.
    alive : list of bool
        For each layer from the first `layer` on, whether any tag has a nonzero sum in it.
    words : list of list of int
        For each hidden layer from the first `layer` on and each word of its vectors, the number of
        rows in which any tag keeps an entry.

    Members
    -------
    origin : int
        The layer that seeds the tags.
    crossed : int
        Layers crossed since the seed, which indexes `alive` and `words`.
    slot : int
        The slot that the chunk occupies; -1 before it has one.
    """

    __slots__ = ("alive", "crossed", "layer", "origin", "sample", "size", "slot", "words")

    def __init__(
        self, sample: int, layer: int, size: int, alive: list[bool], words: list[list[int]]
    ) -> None:
        self.sample = sample
        self.layer = layer
        self.origin = layer - 1
        self.size = size
        self.alive = alive
        self.words = words
        self.crossed = 0
        self.slot = -1


Seeding = list[list[list[Chunk]]]
"""For each hidden layer and word of slopes, the chunks seeded from that word."""


class Batch:
    """The nonzeros of a batch, as nested lists.

    Parameters
    ----------
    plan : Plan
    activity : Activity

    Members
    -------
    samples : int
        Number of samples.
    counts : list of list of int
        For each sample and layer, the number of entries in the layer's list, including the bias.
    loads : list of int
        Cycles of the loader for each sample's targets, masks and inputs.
    updates : list of list of list of bool
        For each sample, layer and group, whether any update scalar is nonzero.
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
        """Make the chunks of a sample."""
        return [
            [
                [
                    self._chunk(sample, layer, number * len(word) + place, size)
                    for place, size in enumerate(word)
                    if size
                ]
                for number, word in enumerate(sizes[sample])
            ]
            for layer, sizes in enumerate(self._sizes)
        ]

    def _chunk(self, sample: int, layer: int, chunk: int, size: int) -> Chunk:
        alive = [a[sample][chunk] for a in self._alive[layer]]
        words = [k[sample][chunk] for k in self._words[layer]]
        return Chunk(sample, layer + 1, size, alive, words)

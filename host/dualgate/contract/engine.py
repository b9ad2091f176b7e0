# SPDX-License-Identifier: BSD-2-Clause

"""Build parameters of an engine: its sizes and the depths of its queues."""

from dataclasses import dataclass, fields, replace

from .errors import FitError
from .network import Layer, Network
from .values import Whole, check_fields

WORD_BITS = 32
MOST = 1 << 15
"""Largest engine parameter."""

MEMORIES = ("layers", "rows", "inputs", "activations", "vectors", "groups")
"""Engine parameters that are sizes of memories."""

LEAST_COMPACT = 4
"""Smallest number of neurons of a compact engine. The sum that a compact engine stores in place of
weights is as wide as this number of weights."""


@dataclass(frozen=True)
class EngineParameters:
    """Build parameters of an engine. No result depends on them.

    Parameters
    ----------
    neurons : int
        N, the number of neurons side by side; a power of two.
    tangent_lanes : int
        K, the number of tangents that a neuron processes in parallel. They share each weight read.
    cores : int
        C, the number of cores, each with lanes and arrays of its own. The samples of a batch are
        distributed among them.
    arrays : int
        MAC arrays of a core: 3, one for each kind of lane, or 1 that all lanes share. The array
        used for tangents has K N multipliers, the others N.
    compact : int
        1 for the compact engine, which processes one sample at a time, one step after another. It
        needs at least 4 neurons and has one array, one core and one tangent lane. Otherwise 0.
    apply_lanes : int
        Number of neurons whose weights are updated in parallel at the end of a batch; a power of
        two. If there are fewer neurons, all of them. Logic grows with it; for the time see
        `strips`. The compact engine updates one.
    layers : int
        Number of layer descriptors.
    rows : int
        Depth of the weight memory, in rows of `neurons` weights. A layer takes
        ``groups * (inputs + 1)``.
    inputs : int
        Entries of the input list; a network needs one more than its inputs.
    activations : int
        Entries of the list of hidden values; each hidden layer takes one more than its units.
    vectors : int
        Depth of the memory of slopes and update scalars, in words of `neurons` entries. Each hidden
        layer takes ``groups``; in a compact engine the output layer does, too.
    groups : int
        Largest number of groups of one layer.
    """

    neurons: Whole = 16
    tangent_lanes: Whole = 1
    cores: Whole = 1
    arrays: Whole = 3
    compact: Whole = 0
    apply_lanes: Whole = 16
    layers: Whole = 8
    rows: Whole = 1024
    inputs: Whole = 1024
    activations: Whole = 256
    vectors: Whole = 32
    groups: Whole = 8

    def __post_init__(self) -> None:
        check_fields(self)
        for field in fields(self):
            least = 0 if field.name == "compact" else 1
            if not least <= getattr(self, field.name) <= MOST:
                raise FitError(f"engine parameter {field.name} must be from {least} to {MOST}")
        for name in ("neurons", "apply_lanes"):
            number = getattr(self, name)
            if number & (number - 1):
                raise FitError(f"{number} {name}: give a power of two, such as 16")
        if self.tangent_lanes > self.neurons:
            raise FitError(f"{self.tangent_lanes} tangent lanes: give at most {self.neurons}")
        if self.arrays not in (1, 3):
            raise FitError(f"{self.arrays} MAC arrays: give 3, or 1 to share")
        if self.compact:
            self._check_compact()

    def _check_compact(self) -> None:
        if (self.compact, self.arrays, self.cores, self.tangent_lanes) != (1, 1, 1, 1):
            raise FitError("a compact engine: give 1 for compact, arrays, cores and tangent lanes")
        if self.neurons < LEAST_COMPACT:
            raise FitError(f"a compact engine: give {LEAST_COMPACT} neurons or more")

    @property
    def multipliers(self) -> int:
        """Number of 16 x 16 multipliers in all MAC arrays; two a neuron in a compact engine."""
        if self.compact:
            return 2 * self.neurons
        return self.cores * self.neurons * (self.tangent_lanes + self.arrays - 1)

    @property
    def strip(self) -> int:
        """Entries of a row in one access of a client that has the weight memory exclusively."""
        return min(self.neurons, self.apply_lanes)

    @property
    def strips(self) -> int:
        """Number of strips of a row; the end of a batch processes them one after another."""
        return self.neurons // self.strip

    @property
    def beat(self) -> int:
        """Words per cycle at the command port, enough to keep the loader of each core busy."""
        return 1 << (self.cores - 1).bit_length()

    def needs(self, network: Network) -> dict[str, int]:
        """Return the size that `network` needs of each memory, by parameter name."""
        layers = network.layers
        groups = [self.groups_of(layer) for layer in layers]
        return {
            "layers": len(layers),
            "rows": sum(g * layer.rows for g, layer in zip(groups, layers, strict=True)),
            "inputs": layers[0].rows,
            "activations": sum(layer.rows for layer in layers[1:]),
            "vectors": max(1, sum(groups if self.compact else groups[:-1])),
            "groups": max(groups),
        }

    def check(self, network: Network) -> None:
        """Raise `FitError`, which names the memory, unless `network` fits."""
        for memory, need in self.needs(network).items():
            has = getattr(self, memory)
            if need > has:
                raise FitError(
                    f"network {','.join(map(str, network.sizes))} does not fit: {memory} has "
                    f"{has}, needed {need}; use a smaller network or an engine with more {memory}"
                )

    def groups_of(self, layer: Layer) -> int:
        """Return the number of groups of a layer, ``ceil(outputs / neurons)``."""
        return -(-layer.outputs // self.neurons)

    def grown(self, network: Network) -> "EngineParameters":
        """Return these parameters with each memory enlarged to a power of two that holds `network`.

        For simulated engines, whose memories are limited only by the width of an address.
        """
        larger = {
            memory: max(getattr(self, memory), min(1 << (need - 1).bit_length(), MOST))
            for memory, need in self.needs(network).items()
        }
        return replace(self, **larger)


@dataclass(frozen=True)
class Depths:
    """Depths of queues and memories, the same in every build; see ``Shapes`` in the gateware.

    Parameters
    ----------
    contexts : int
        Number of samples in progress.
    slots : int
        Number of tags in progress.
    threads : int
        Number of samples in progress in the value lane.
    listed : int
        Number of entries in the input lists of all samples in progress; 0 stands for the largest
        number that these can have.
    """

    contexts: int = 8
    slots: int = 8
    threads: int = 3
    listed: int = 0

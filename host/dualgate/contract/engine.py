# SPDX-License-Identifier: BSD-2-Clause

"""What an engine is built with: its parameters and the depths of its queues."""

from dataclasses import dataclass, fields, replace

from .errors import FitError
from .network import Layer, Network

WORD_BITS = 32
MOST = 1 << 15
"""Largest engine parameter."""

MEMORIES = ("layers", "rows", "inputs", "activations", "vectors", "groups")
"""Engine parameters that are sizes of memories."""

LEAST_COMPACT = 4
"""Neurons of a compact engine, at least: so many weights are as wide as the sum that takes their
place."""


@dataclass(frozen=True)
class EngineParameters:
    """What a bitstream was built with. No result depends on it.

    Parameters
    ----------
    neurons : int
        N, lanes side by side; a power of two.
    tangent_lanes : int
        K, tangents that a neuron carries at once; they share each weight that is read.
    cores : int
        C, engines of lanes and arrays that share the samples of a batch out among them.
    arrays : int
        MAC arrays of a core: 3, one for each kind of lane, or 1 that they share. The array that
        tangents use has K N multipliers, others N.
    compact : int
        1 for the compact engine, which takes one sample at a time and step after step; it has 4
        neurons at least, one array, one core and one tangent lane. Otherwise 0.
    apply_lanes : int
        Neurons whose weights move at once when a batch ends, or all if there are fewer; a power of
        two. Logic grows with it, see `strips` for the time. The compact engine moves one.
    layers : int
        Descriptors.
    rows : int
        Words of `neurons` weights; a layer takes ``groups * (inputs + 1)``.
    inputs : int
        Entries of the input list, one more than the widest input.
    activations : int
        Entries of the list of hidden values, one more than the units of each hidden layer.
    vectors : int
        Words of slopes and update scalars, ``groups`` of every hidden layer together; a compact
        engine keeps those of the output layer there, too.
    groups : int
        Most groups of one layer.
    """

    neurons: int = 16
    tangent_lanes: int = 1
    cores: int = 1
    arrays: int = 3
    compact: int = 0
    apply_lanes: int = 16
    layers: int = 8
    rows: int = 1024
    inputs: int = 1024
    activations: int = 256
    vectors: int = 32
    groups: int = 8

    def __post_init__(self) -> None:
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
        """16 x 16 multipliers of all MAC arrays; a compact engine has two for each neuron."""
        if self.compact:
            return 2 * self.neurons
        return self.cores * self.neurons * (self.tangent_lanes + self.arrays - 1)

    @property
    def strip(self) -> int:
        """Entries of a row that whoever has the engine to himself reads or writes at once."""
        return min(self.neurons, self.apply_lanes)

    @property
    def strips(self) -> int:
        """Strips of a row: the end of a batch takes one after the other."""
        return self.neurons // self.strip

    @property
    def beat(self) -> int:
        """Words a cycle at the command port: enough to keep every core's loader busy."""
        return 1 << (self.cores - 1).bit_length()

    def needs(self, network: Network) -> dict[str, int]:
        """How much of each memory `network` takes, by parameter name."""
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
        """Raise `FitError`, naming the memory, unless `network` fits."""
        for memory, need in self.needs(network).items():
            has = getattr(self, memory)
            if need > has:
                raise FitError(
                    f"network {','.join(map(str, network.sizes))} does not fit: {memory} has "
                    f"{has}, needed {need}; use a smaller network or an engine with more {memory}"
                )

    def groups_of(self, layer: Layer) -> int:
        """``ceil(outputs / neurons)``."""
        return -(-layer.outputs // self.neurons)

    def grown(self, network: Network) -> "EngineParameters":
        """These parameters, each memory raised to a power of two that holds `network`.

        For simulated engines, whose memories are free up to what an address reaches.
        """
        larger = {
            memory: max(getattr(self, memory), min(1 << (need - 1).bit_length(), MOST))
            for memory, need in self.needs(network).items()
        }
        return replace(self, **larger)


@dataclass(frozen=True)
class Depths:
    """What every engine is built with; see the gateware's ``Shapes``.

    Parameters
    ----------
    contexts : int
        Samples in flight.
    slots : int
        Tags in flight.
    threads : int
        Samples in flight in the value lane.
    listed : int
        Entries of the lists of inputs of all samples in flight; 0 is as many as these can have.
    """

    contexts: int = 8
    slots: int = 8
    threads: int = 3
    listed: int = 0

# SPDX-License-Identifier: BSD-2-Clause

"""What is nonzero in a batch: all that decides how long it takes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.commands import dense_words
from ..contract.network import Network

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Crossings:
    """What became of one hidden layer's tags at each later layer.

    Parameters
    ----------
    alive : sequence of bool array (samples, tags)
        For each later layer, the output layer included: whether any of the tag's sums is not zero.
    kept : sequence of bool array (samples, tags, units)
        For each later hidden layer: the entries left after slopes and pruning.
    """

    alive: tuple[Bools, ...]
    kept: tuple[Bools, ...]


@dataclass(frozen=True)
class Activity:
    """The nonzeros of a batch. Nothing here depends on an engine.

    Parameters
    ----------
    inputs : int array (samples, layers)
        Nonzero inputs of each layer, the bias not counted.
    seeds : sequence of bool array (samples, units)
        For each hidden layer, the units whose slope is not zero.
    crossings : sequence of Crossings
        For each hidden layer, what became of its tags.
    updates : sequence of bool array (samples, units)
        For each layer, the units whose update scalar is not zero.
    loads : int array (samples,)
        Cycles in which a loader takes the inputs, see `load_cycles`, and masks, a word each.
    masked : bool
        Whether there are masks.
    pruned : bool
        Whether pruning was on, even if it dropped nothing.
    """

    inputs: Ints
    seeds: tuple[Bools, ...]
    crossings: tuple[Crossings, ...]
    updates: tuple[Bools, ...]
    loads: Ints
    masked: bool = False
    pruned: bool = True

    @property
    def samples(self) -> int:
        """Samples in the batch."""
        return len(self.inputs)

    def dealt(self, cores: int) -> list["Activity"]:
        """What each of `cores` cores gets, where samples go to them in turn."""
        return [
            Activity(
                self.inputs[core::cores],
                tuple(flags[core::cores] for flags in self.seeds),
                tuple(
                    Crossings(
                        tuple(flags[core::cores] for flags in crossings.alive),
                        tuple(flags[core::cores] for flags in crossings.kept),
                    )
                    for crossings in self.crossings
                ),
                tuple(flags[core::cores] for flags in self.updates),
                self.loads[core::cores],
                self.masked,
                self.pruned,
            )
            for core in range(min(cores, self.samples))
        ]


def load_cycles(x: Ints) -> Ints:
    """Cycles in which a loader takes the inputs of samples, in the shorter of their two forms.

    A word each: a nonzero, or, in the dense form, two inputs; one cycle more where neither is zero.

    Parameters
    ----------
    x : int array (samples, inputs)

    Returns
    -------
    int array (samples,)
    """
    words = dense_words(x.shape[1])
    padded = np.zeros((len(x), 2 * words), np.bool_)
    padded[:, : x.shape[1]] = x != 0
    nonzero = np.count_nonzero(padded, axis=1)
    pairs = np.count_nonzero(padded[:, 0::2] & padded[:, 1::2], axis=1)
    cycles: Ints = np.where(words < nonzero, words + pairs, nonzero)
    return cycles


def per_word(flags: Bools, neurons: int) -> Ints:
    """How many of each word of `neurons` flags are set.

    Parameters
    ----------
    flags : bool array (..., units)
    neurons : int

    Returns
    -------
    int array (..., words)
    """
    starts = np.arange(0, flags.shape[-1], neurons)
    counts: Ints = np.add.reduceat(flags, starts, axis=-1, dtype=np.int64)
    return counts


def assumed_activity(
    network: Network, inputs: float, kept: float = 1.0, samples: int = 100
) -> Activity:
    """An activity to plan with, where there is no data yet: all alike, spread evenly.

    Parameters
    ----------
    network : Network
    inputs : float
        Share of a sample's inputs that are not zero.
    kept : float
        Share of a tangent's entries that pruning leaves. Everything else is taken to be nonzero.
    samples : int
    """
    layers = network.layers
    counts = np.array([round(inputs * layers[0].inputs), *(n.inputs for n in layers[1:])])
    seeds, crossings = [], []
    for tag_layer, layer in enumerate(layers[:-1]):
        later = layers[tag_layer + 1 :]
        seeds.append(np.ones((samples, layer.outputs), np.bool_))
        alive = [np.ones((samples, layer.outputs), np.bool_) for _ in later]
        flags = [
            np.broadcast_to(_spread(n.outputs, kept), (samples, layer.outputs, n.outputs))
            for n in later[:-1]
        ]
        crossings.append(Crossings(tuple(alive), tuple(flags)))
    return Activity(
        np.broadcast_to(counts, (samples, len(layers))).astype(np.int64),
        tuple(seeds),
        tuple(crossings),
        tuple(np.ones((samples, n.outputs), np.bool_) for n in layers),
        load_cycles(
            np.broadcast_to(_spread(layers[0].inputs, inputs), (samples, layers[0].inputs))
        ),
        pruned=kept < 1,
    )


def _spread(units: int, share: float) -> Bools:
    """A share of the units, at least one if any, evenly spread."""
    wanted = max(1, round(share * units))
    flags = np.zeros(units, np.bool_)
    flags[np.arange(wanted) * units // wanted] = True
    return flags

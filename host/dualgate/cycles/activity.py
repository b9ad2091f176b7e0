# SPDX-License-Identifier: BSD-2-Clause

"""The nonzeros of a batch, which alone decide how many cycles it takes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.network import Network
from ..contract.sample_commands import dense_words

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Crossings:
    """The surviving tags of one hidden layer, and their entries, at each later layer.

    Parameters
    ----------
    alive : sequence of bool array (samples, tags)
        For each later layer, including the output layer: whether any of the tag's sums is nonzero.
    kept : sequence of bool array (samples, tags, units)
        For each later hidden layer: the tangent's entries that slopes and pruning leave.
    """

    alive: tuple[Bools, ...]
    kept: tuple[Bools, ...]


@dataclass(frozen=True)
class Activity:
    """The nonzeros of a batch, independent of any engine.

    Parameters
    ----------
    inputs : int array (samples, layers)
        Number of nonzero inputs of each layer, without the bias.
    seeds : sequence of bool array (samples, units)
        For each hidden layer, the units whose slope is nonzero; none in a frozen layer.
    crossings : sequence of Crossings
        For each hidden layer, the tags that survive each later layer.
    updates : sequence of bool array (samples, units)
        For each layer, the units whose update scalar is nonzero; none in a frozen layer.
    loads : int array (samples,)
        Cycles in which the loader takes a sample's inputs (see `load_cycles`) and its masks (one
        cycle a word).
    masked : bool
        Whether the samples come with masks.
    pruned : bool
        Whether pruning was enabled, even if it dropped no entry.
    moving : sequence of bool array (inputs + 1, units), or None
        For each layer, the weights whose velocity was not zero when the batch began, or which an
        update of any sample reached. None if the host wrote velocities or descriptors since the
        batch before: the engine does not know then which rows are touched, and visits them all.
    """

    inputs: Ints
    seeds: tuple[Bools, ...]
    crossings: tuple[Crossings, ...]
    updates: tuple[Bools, ...]
    loads: Ints
    masked: bool = False
    pruned: bool = True
    moving: tuple[Bools, ...] | None = None

    @property
    def samples(self) -> int:
        """Samples in the batch."""
        return len(self.inputs)

    def split(self, cores: int) -> list["Activity"]:
        """Split the batch among `cores` cores: sample i goes to core ``i % cores``.

        Each part keeps the touched weights of the whole batch.
        """
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
                self.moving,
            )
            for core in range(min(cores, self.samples))
        ]


def load_cycles(x: Ints) -> Ints:
    """Count the cycles in which the loader takes each sample's inputs.

    The sparse form has one word for each nonzero input. The dense form has one word for every two
    inputs. The host sends the form with fewer words, and the sparse form if both have the same
    number. The loader takes one word a cycle, and one cycle more for each dense word whose two
    inputs are both nonzero.

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
    """Count the set flags in each word of `neurons` flags.

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
    """Assume an activity for planning without data: identical samples, nonzeros spread evenly.

    Parameters
    ----------
    network : Network
    inputs : float
        Share of a sample's inputs that are nonzero.
    kept : float
        Share of a tangent's entries that pruning leaves. All other numbers are assumed nonzero.
    samples : int
        Number of samples in the batch.
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
    """Flag a share of the units, at least one of them, spread evenly."""
    wanted = max(1, round(share * units))
    flags = np.zeros(units, np.bool_)
    flags[np.arange(wanted) * units // wanted] = True
    return flags

# SPDX-License-Identifier: BSD-2-Clause

"""Chunks: groups of tags that share a slot of the tangent lanes and step together."""

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Chunks:
    """The chunks of one hidden layer's tags: up to K successive tags from one word of N slopes.

    Parameters
    ----------
    seeded : bool array (samples, tags)
        Whether each unit's slope is nonzero, so that it seeds a tag.
    neurons, lanes : int
        N and K: units in a word of slopes, and tags in a chunk.

    Members
    -------
    sizes : int array (samples, words, chunks of a word)
        Number of tags in each chunk. A word's chunks are filled one after the other.
    """

    def __init__(self, seeded: Bools, neurons: int, lanes: int) -> None:
        samples, tags = seeded.shape
        words, each = -(-tags // neurons), -(-neurons // lanes)
        padded = np.zeros((samples, words, neurons), np.int64)
        padded.reshape(samples, -1)[:, :tags] = seeded
        rank = (np.cumsum(padded, axis=-1) - 1).reshape(samples, -1)[:, :tags]
        word = np.arange(tags) // neurons
        self._shape = (samples, words * each)
        self._members = []
        for place in range(lanes):
            sample, tag = np.nonzero(seeded & (rank % lanes == place))
            chunk = word[tag] * each + rank[sample, tag] // lanes
            self._members.append((sample, tag, chunk))
        left = padded.sum(axis=-1)[..., None] - lanes * np.arange(each)
        self.sizes: Ints = np.clip(left, 0, lanes)

    def any(self, flags: Bools) -> Bools:
        """Find for each chunk whether the flag of any of its tags is set.

        Parameters
        ----------
        flags : bool array (samples, tags, ...)

        Returns
        -------
        bool array (samples, chunks, ...)
        """
        result = np.zeros((*self._shape, *flags.shape[2:]), np.bool_)
        for sample, tag, chunk in self._members:
            result[sample, chunk] |= flags[sample, tag]
        return result

# SPDX-License-Identifier: BSD-2-Clause

"""Samples and masks as commands; see `commands` for the words."""

import numpy as np
from numpy.typing import NDArray

from .commands import MAX_PAYLOAD, Masks, Op, Words
from .engine import WORD_BITS
from .errors import DeviceError
from .network import Network

Ints = NDArray[np.int64]

_LOW_WORD = 0xFFFF_FFFF
_HALF = 0xFFFF


def dense_words(inputs: int) -> int:
    """Return the number of words for `inputs` inputs in a dense command."""
    return -(-inputs // 2)


def mask_words(network: Network) -> int:
    """Return the number of words for the masks of a sample.

    There is one bit for each value that feeds a layer other than the first: for each hidden layer
    its units, then its bias, in the order of the engine's list memory (`list_base` of
    `LAYER_FIELDS`), least significant bit first. A unit takes part in the sample if its bit is 1.
    The engine ignores the bit of a bias, which always takes part.
    """
    return -(-sum(layer.rows for layer in network.layers[1:]) // WORD_BITS)


def pack_masks(network: Network, masks: Masks) -> Words:
    """Pack masks into words; for the order of the bits see `mask_words`.

    Parameters
    ----------
    network : Network
    masks : sequence of bool array (samples, units)
        For each hidden layer, the units that take part.

    Returns
    -------
    uint32 array (samples, words)
    """
    samples = len(masks[0])
    bits = np.zeros((samples, WORD_BITS * mask_words(network)), np.bool_)
    start = 0
    for layer, mask in zip(network.layers[1:], masks, strict=True):
        bits[:, start : start + layer.inputs] = mask
        start += layer.rows
    packed = np.packbits(bits, axis=1, bitorder="little")
    return packed.view("<u4").astype(np.uint32)


def sample_commands(x: Ints, target: Ints | None = None, masks: Words | None = None) -> Words:
    """Make a TRAIN command for each sample, or INFER without targets.

    A sample for which the dense form is shorter has that form.

    Parameters
    ----------
    x : int array (samples, inputs)
    target : int array (samples, outputs) or None
    masks : uint32 array (samples, words) or None
        As from `pack_masks`, only with targets.

    Returns
    -------
    uint32 array
        The commands one after the other.

    Raises
    ------
    DeviceError
        For a sample of more than `MAX_PAYLOAD` words.
    """
    samples, inputs = x.shape
    front = np.concatenate([part for part in (target, masks) if part is not None] or [x[:, :0]], 1)
    begin = 1 + front.shape[1]
    places = np.flatnonzero(x != 0)
    counts = np.diff(np.searchsorted(places, np.arange(samples + 1) * inputs))
    dense = dense_words(inputs) < counts
    lengths = begin + np.where(dense, dense_words(inputs), counts)
    if lengths.max(initial=0) > 1 + MAX_PAYLOAD:
        raise DeviceError(
            f"a sample of {lengths.max() - 1} words: a command takes at most {MAX_PAYLOAD}; "
            "use a smaller network"
        )
    starts = np.cumsum(lengths) - lengths
    words = np.empty(lengths.sum(), np.uint32)
    ops = (Op.INFER, Op.INFER_DENSE) if target is None else (Op.TRAIN, Op.TRAIN_DENSE)
    words[starts] = np.where(dense, ops[1], ops[0]) | (lengths - 1) << 16
    words[starts[:, None] + np.arange(1, begin)] = front & _LOW_WORD
    if dense.any():
        pairs = _pairs(x[dense])
        words[starts[dense, None] + begin + np.arange(pairs.shape[1])] = pairs
        places = places[np.repeat(~dense, counts)]
        counts[dense] = 0
    # The place of entry n is n, plus the number of words that precede it and are no entries.
    ahead = starts + begin - (np.cumsum(counts) - counts)
    index = places - np.repeat(np.arange(samples) * inputs, counts)
    at = np.repeat(ahead, counts)
    at += np.arange(len(at))
    words[at] = index << 16 | (x.ravel()[places] & _HALF)
    return words


def _pairs(x: Ints) -> Ints:
    """Pack all inputs (samples, inputs), two in a word, the one of the even index below."""
    padded = np.pad(x, ((0, 0), (0, x.shape[1] % 2))) & _HALF
    return padded[:, 0::2] | padded[:, 1::2] << 16

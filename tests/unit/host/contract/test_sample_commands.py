# SPDX-License-Identifier: BSD-2-Clause

"""Samples as commands: one by one by hand, and whole batches against one sample at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualgate.contract import commands
from dualgate.contract.commands import Op
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DeviceError
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network
from dualgate.contract.sample_commands import mask_words, pack_masks, sample_commands


def by_hand(x: list[int], front: list[int], train: bool) -> list[int]:
    """The words of one sample, from the description in `commands`."""
    entries = [at << 16 | value & 0xFFFF for at, value in enumerate(x) if value]
    pairs = [
        low & 0xFFFF | (high & 0xFFFF) << 16
        for low, high in zip(x[0::2], [*x[1::2], 0], strict=False)
    ]
    dense = len(pairs) < len(entries)
    op = (Op.TRAIN_DENSE if dense else Op.TRAIN) if train else Op.INFER + 5 * dense
    body = [word & 0xFFFF_FFFF for word in front] + (pairs if dense else entries)
    return [op | len(body) << 16, *body]


@given(st.data())
def test_a_batch_is_its_samples_one_after_the_other(data: st.DataObject) -> None:
    samples, inputs = data.draw(st.integers(0, 6)), data.draw(st.integers(1, 9))
    value = st.just(0) | st.integers(-(1 << 15), (1 << 15) - 1)
    x = [data.draw(st.lists(value, min_size=inputs, max_size=inputs)) for _ in range(samples)]
    train = data.draw(st.booleans())
    outputs, words = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    target = random.integers(-(1 << 15), 1 << 15, (samples, outputs)) if train else None
    masked = train and data.draw(st.booleans())
    masks = random.integers(0, 1 << 32, (samples, words)).astype(np.uint32) if masked else None
    batch = sample_commands(np.array(x, np.int64).reshape(samples, inputs), target, masks)
    assert batch.dtype == np.uint32
    fronts = [
        [word for part in (target, masks) if part is not None for word in part[n].tolist()]
        for n in range(samples)
    ]
    said = [by_hand(row, front, train) for row, front in zip(x, fronts, strict=True)]
    assert batch.tolist() == [word for words in said for word in words]


def test_a_sample_that_no_command_can_hold_is_refused() -> None:
    x = np.ones((1, 2 * commands.MAX_PAYLOAD), np.int64)
    assert len(sample_commands(x)) == 1 + commands.MAX_PAYLOAD
    with pytest.raises(DeviceError, match=r"^a sample of 65536 words: a command takes at most"):
        sample_commands(x, np.ones((1, 1), np.int64))


def test_a_sample_is_its_targets_and_its_nonzero_inputs() -> None:
    x, target = np.array([0, -1, 0, 32767]), np.array([-2, 3])
    entries = [1 << 16 | 0xFFFF, 3 << 16 | 0x7FFF]
    train = sample_commands(x[None], target[None]).tolist()
    assert train == [commands.header(Op.TRAIN, 4), 0xFFFF_FFFE, 3, *entries]
    infer = sample_commands(x[None]).tolist()
    assert infer == [commands.header(Op.INFER, 2), *entries]


def test_masks_come_between_targets_and_inputs() -> None:
    x, target, masks = np.array([0, -1, 0, 0]), np.array([-2, 3]), np.array([7, 1 << 31], np.uint32)
    words = sample_commands(x[None], target[None], masks[None]).tolist()
    assert words == [commands.header(Op.TRAIN, 5), 0xFFFF_FFFE, 3, 7, 1 << 31, 1 << 16 | 0xFFFF]


@given(st.lists(st.integers(1, 70), min_size=1, max_size=4), st.integers(0, 99))
def test_masks_have_the_order_of_the_engine_s_lists(hidden: list[int], seed: int) -> None:
    network = Network((3, *hidden, 2), "sigmoid")
    random = np.random.default_rng(seed)
    masks = [random.random((3, units)) < 0.5 for units in hidden]
    layout = Layout(network, EngineParameters().grown(network), 10)
    packed = pack_masks(network, masks)
    assert packed.dtype == np.uint32
    assert packed.shape == (3, mask_words(network))
    last = layout.descriptors[-1]
    # How the loader knows how many words there are.
    assert mask_words(network) == (last["list_base"] + last["inputs"]) // 32 + 1
    for sample, words in enumerate(packed.tolist()):
        bits = sum(word << (32 * i) for i, word in enumerate(words))
        for descriptor, mask in zip(layout.descriptors[1:], masks, strict=True):
            for unit, takes_part in enumerate(mask[sample]):
                assert bits >> descriptor["list_base"] + unit & 1 == takes_part


def test_one_mask_word_by_hand() -> None:
    masks = [np.array([[1, 0, 1]], bool), np.array([[0, 1]], bool)]
    packed = pack_masks(Network((9, 3, 2, 1), "tanh", "mse"), masks)
    assert packed.tolist() == [[0b0_10_0_101]]


def test_a_sample_of_zeros_has_no_entries() -> None:
    assert sample_commands(np.zeros((1, 4), np.int64)).tolist() == [Op.INFER]

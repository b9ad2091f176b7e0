# SPDX-License-Identifier: BSD-2-Clause

"""Commands: packing, headers, samples and the splitting of responses."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.paths import REFERENCE

from dualgate.contract import commands
from dualgate.contract.commands import MAX_PAYLOAD, Op, Status
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DeviceError
from dualgate.contract.layout import LAYER_FIELDS, LAYER_WORDS, Layout
from dualgate.contract.network import Network
from dualgate.contract.settings import Settings

PROTOCOL_PAGE = REFERENCE / "protocol.md"


def unpack(layout: tuple[tuple[str, int], ...], words: np.ndarray) -> dict[str, int]:
    packed = sum(int(word) << (32 * i) for i, word in enumerate(words))
    result = {}
    for name, bits in layout:
        result[name] = packed & ((1 << bits) - 1)
        packed >>= bits
    assert packed == 0
    return result


@given(st.data())
def test_fields_come_back_as_they_were_packed(data: st.DataObject) -> None:
    values = {name: data.draw(st.integers(0, (1 << bits) - 1)) for name, bits in LAYER_FIELDS}
    words = commands.pack_fields(LAYER_FIELDS, values, LAYER_WORDS)
    assert words.dtype == np.uint32
    assert len(words) == LAYER_WORDS
    assert unpack(LAYER_FIELDS, words) == values


@pytest.mark.parametrize("value", [-1, 32])
def test_a_field_that_does_not_fit_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match=rf"^narrow = {value} does not fit 5 bits$"):
        commands.pack_fields((("narrow", 5),), {"narrow": value}, 1)


def test_a_header_has_operation_status_and_length() -> None:
    assert commands.header(Op.TRAIN, 3, Status.LENGTH) == 0x0003_0208
    assert commands.command(Op.APPLY).tolist() == [Op.APPLY]


def test_a_payload_is_sent_as_the_low_bits_of_its_numbers() -> None:
    words = commands.command(Op.WRITE_VELOCITY, [5, -1, 1 << 32 | 7])
    assert words.dtype == np.uint32
    assert words.tolist() == [0x0003_0006, 5, 0xFFFF_FFFF, 7]


def test_a_payload_has_a_limit() -> None:
    assert len(commands.command(Op.WRITE_WEIGHTS, [0] * MAX_PAYLOAD)) == MAX_PAYLOAD + 1
    with pytest.raises(DeviceError, match=r"^WRITE_WEIGHTS of 65536 words: a command .* 65535"):
        commands.command(Op.WRITE_WEIGHTS, [0] * (MAX_PAYLOAD + 1))


def test_descriptors_and_settings_travel_whole() -> None:
    layout = Layout(Network((20, 6, 3)), EngineParameters(4), 10)
    for descriptor in layout.descriptors:
        words = commands.pack_fields(LAYER_FIELDS, descriptor, LAYER_WORDS)
        assert unpack(LAYER_FIELDS, words) == descriptor
    sent = commands.settings_command(Settings(32767, 63, 32767, 15, True), 8)
    assert sent[0] == commands.header(Op.SETTINGS, commands.SETTINGS_WORDS)
    assert unpack(commands.SETTINGS_FIELDS, sent[1:]) == {
        "rate_mantissa": 32767,
        "rate_shift": 63,
        "prune": 15,
        "layers": 8,
        "momentum": 32767,
        "masked": 1,
    }


@pytest.mark.parametrize(
    ("what", "fields"),
    [("descriptor", LAYER_FIELDS), ("setting", commands.SETTINGS_FIELDS)],
)
def test_the_documentation_has_the_fields_as_they_are_packed(
    what: str, fields: tuple[tuple[str, int], ...]
) -> None:
    table = (
        PROTOCOL_PAGE.read_text().partition(f"| {what} | bits | meaning |")[2].partition("\n\n")[0]
    )
    rows = re.findall(r"\| `(\w+)` \| (\d+) \|", table)
    assert [(name, int(bits)) for name, bits in rows] == list(fields)


def test_the_documentation_has_every_command_and_counter() -> None:
    text = PROTOCOL_PAGE.read_text()
    for op in Op:
        assert f"| {op.value} | {op.name} |" in text
    counters = text.partition("Counters, in this order: ")[2].partition(".\n")[0]
    assert tuple(re.findall(r"`(\w+)`", counters)) == commands.COUNTERS


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Op),
            st.sampled_from(Status),
            st.lists(st.integers(0, 0xFFFF_FFFF), max_size=5),
        )
    )
)
def test_responses_are_split_as_they_were_joined(
    responses: list[tuple[Op, Status, list[int]]],
) -> None:
    words = [
        word
        for op, status, payload in responses
        for word in (commands.header(op, len(payload), status), *payload)
    ]
    split = commands.parse_responses(np.array(words, np.uint32))
    assert [(r.op, r.status, r.payload.tolist()) for r in split] == responses


def test_a_torn_response_is_refused() -> None:
    words = np.array([commands.header(Op.COUNTERS, 2), 1], np.uint32)
    with pytest.raises(DeviceError, match="stopped in the middle of a response"):
        commands.parse_responses(words)


def test_names_in_the_identity_follow_the_engine_s_parameters() -> None:
    assert commands.IDENTITY_FIELDS[:3] == ("magic", "protocol", "neurons")
    assert int.from_bytes(b"DGTE", "big") == commands.MAGIC

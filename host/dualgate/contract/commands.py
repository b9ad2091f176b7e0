# SPDX-License-Identifier: BSD-2-Clause

"""The command set: the words that host and engine exchange, over any link.

Both directions are streams of 32-bit words. A command is a header and its payload. The engine
answers each command with one response, also a header and its payload, in the order of the commands.
A header has the operation in bits 0-7, the status in bits 8-15 (zero in a command), and the number
of payload words in bits 16-31.

============== ========================================= ==================================
command        payload                                   response payload
============== ========================================= ==================================
IDENTIFY       none                                      `IDENTITY_FIELDS`, one word each
LAYER          index, then the descriptor                none
SETTINGS       `SETTINGS_FIELDS`, packed                 none
WRITE_WEIGHTS  row, then N words for each row            none
READ_WEIGHTS   row, number of rows                       N words for each row
WRITE_VELOCITY row, then 2 N words for each row          none
READ_VELOCITY  row, number of rows                       2 N words for each row
TRAIN          targets, masks, nonzero inputs            outputs
INFER          nonzero inputs                            outputs
TRAIN_DENSE    targets, masks, all inputs                as TRAIN, with its header
INFER_DENSE    all inputs                                as INFER, with its header
APPLY          none                                      none
COUNTERS       none                                      `COUNTERS`, two words each
CLEAR_COUNTERS none                                      none
============== ========================================= ==================================

A nonzero input is a word with the index in bits 16-31 and the value in bits 0-15; an index occurs
at most once. The dense commands send all inputs, two in a word: the input with the even index in
bits 0-15, and zero in place of a missing last input. Targets and outputs take one word each,
sign-extended. TRAIN and TRAIN_DENSE carry masks if and only if SETTINGS has `masked`; see
`sample_commands`. A velocity is two words, low word first, sign-extended to 64 bits. If the payload
does not fit the command, the engine reads it to its end, answers with an error status and changes
nothing. A word of zero in place of a header is padding: the engine skips it without a response.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from .engine import WORD_BITS, EngineParameters
from .errors import DeviceError
from .formats import MOMENTUM_FRAC, RATE_WIDTH
from .layout import LAYER_FIELDS, LAYER_WORDS, Layout
from .settings import PRUNE_BITS, RATE_SHIFT_BITS, Settings

MAGIC = 0x44475445
PROTOCOL = 4
MAX_PAYLOAD = (1 << 16) - 1

Words = NDArray[np.uint32]

Masks = Sequence[NDArray[np.bool_]]
"""For each hidden layer, (samples, units): the units that take part in each sample."""


class Op(IntEnum):
    """Operation codes."""

    IDENTIFY = 1
    LAYER = 2
    SETTINGS = 3
    WRITE_WEIGHTS = 4
    READ_WEIGHTS = 5
    WRITE_VELOCITY = 6
    READ_VELOCITY = 7
    TRAIN = 8
    INFER = 9
    APPLY = 10
    COUNTERS = 11
    CLEAR_COUNTERS = 12
    TRAIN_DENSE = 13
    INFER_DENSE = 14


class Status(IntEnum):
    """Outcome of a command."""

    OK = 0
    UNKNOWN = 1
    LENGTH = 2


IDENTITY_FIELDS = ("magic", "protocol", *(field.name for field in fields(EngineParameters)))

SETTINGS_FIELDS: tuple[tuple[str, int], ...] = (
    ("rate_mantissa", RATE_WIDTH),
    ("masked", 1),
    ("rate_shift", RATE_SHIFT_BITS),
    ("prune", PRUNE_BITS),
    ("layers", 6),
    ("momentum", MOMENTUM_FRAC),
)
"""Name and width of each field, least significant first; `layers` is the number of descriptors in
use. No field crosses the middle of a word, since the compact engine handles half words."""

SETTINGS_WORDS = -(-sum(bits for _, bits in SETTINGS_FIELDS) // WORD_BITS)

COUNTERS = (
    "cycles",
    "value_rows",
    "tangent_rows",
    "scale_rows",
    "update_rows",
    "kept",
    "dropped",
    "saturated_values",
    "saturated_updates",
    "saturated_weights",
)
"""Counters of the engine, since the last CLEAR_COUNTERS.

cycles
    Clock cycles in which a sample or the end of a batch was in progress.
value_rows, tangent_rows, update_rows
    Scalar-times-row operations of each kind.
scale_rows
    Products of a tangent vector with slopes or errors, one for each group.
kept, dropped
    Nonzero tangent entries that crossed a hidden layer and were kept or pruned.
saturated_values, saturated_updates, saturated_weights
    Clipped pre-activations; clipped errors and update scalars; clipped master weights and
    velocities.
"""


def pack_fields(layout: tuple[tuple[str, int], ...], values: dict[str, int], words: int) -> Words:
    """Pack named fields into words.

    Parameters
    ----------
    layout : sequence of (name, bits)
        Least significant first.
    values : dict
        The values of the fields by name.
    words : int
        Number of words in the result.
    """
    packed = shift = 0
    for name, bits in layout:
        value = values[name]
        if not 0 <= value < 1 << bits:
            raise ValueError(f"{name} = {value} does not fit {bits} bits")
        packed |= value << shift
        shift += bits
    return np.array([packed >> (WORD_BITS * i) & 0xFFFF_FFFF for i in range(words)], np.uint32)


def header(op: int, count: int, status: int = 0) -> int:
    """Make a header word with `op` and `status` for `count` payload words."""
    return int(op) | status << 8 | count << 16


def command(op: Op, payload: NDArray[np.integer] | list[int] | tuple[int, ...] = ()) -> Words:
    """Make the words of a command.

    Parameters
    ----------
    op : Op
    payload : sequence of int
        Words, signed or not.

    Raises
    ------
    DeviceError
        For a payload of more than `MAX_PAYLOAD` words.
    """
    body = np.asarray(payload, dtype=np.int64)
    if len(body) > MAX_PAYLOAD:
        raise DeviceError(
            f"{op.name} of {len(body)} words: a command takes at most {MAX_PAYLOAD}; split it"
        )
    return np.concatenate(([header(op, len(body))], body & 0xFFFF_FFFF)).astype(np.uint32)


def layer_command(layout: Layout, index: int) -> Words:
    """Make the LAYER command for the layer at `index` of a `layout`."""
    fields = pack_fields(LAYER_FIELDS, layout.descriptors[index], LAYER_WORDS)
    return command(Op.LAYER, [index, *fields.tolist()])


def settings_command(settings: Settings, layers: int) -> Words:
    """Make the SETTINGS command with `settings`, for a network of `layers` layers."""
    values = {name: getattr(settings, name) for name, _ in SETTINGS_FIELDS if name != "layers"}
    return command(
        Op.SETTINGS, pack_fields(SETTINGS_FIELDS, {**values, "layers": layers}, SETTINGS_WORDS)
    )


@dataclass(frozen=True)
class Response:
    """One response.

    Parameters
    ----------
    op, status : int
        Operation and status in the header.
    payload : uint32 array
    """

    op: int
    status: int
    payload: Words


def parse_responses(words: Words) -> list[Response]:
    """Split words into responses; raises `DeviceError` if the last one is incomplete."""
    result, at = [], 0
    while at < len(words):
        head = int(words[at])
        end = at + 1 + (head >> 16)
        if end > len(words):
            raise DeviceError("the device stopped in the middle of a response; reset it")
        result.append(Response(head & 0xFF, head >> 8 & 0xFF, words[at + 1 : end]))
        at = end
    return result


assert LAYER_WORDS < MAX_PAYLOAD

# SPDX-License-Identifier: BSD-2-Clause

"""The size of an ONNX file in memory, found before the package onnx reads it.

An ONNX file is a message of protocol buffers: fields, each with a number, a kind and, perhaps, a
length. Two bytes can be a whole message, which takes a hundred in memory, and in lists of integers
a byte can take eight. So everything but the numbers of tensors is counted for more than its length.
"""

from collections.abc import Iterator

FIELD, ITEM, UNKNOWN = 128, 8, 64
"""Bytes of memory that a field takes, beside its content; and a byte of a list of integers, and of
other content, which may be messages."""

MODEL = "model"
MESSAGES = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""Fields of each message that are messages with many parts, by the numbers of onnx.proto."""

NUMBERS = {"tensor": (4, 9, 10), "attribute": (7,)}
"""Fields that hold numbers as they are in memory: floats, doubles, and bytes of any type."""

INTEGERS = {"tensor": (5, 7, 11), "attribute": (8,)}

END = -1
"""No field: the end of a message."""

DEEPEST = 100
"""Deepest message in a message that protocol buffers read."""

VARINT, EIGHT, LENGTH, FOUR = 0, 1, 2, 5
"""Kinds of fields."""


def memory(content: memoryview, most: int) -> int:
    """Bound the memory that a file takes when it is read.

    Parameters
    ----------
    content : memoryview
        The whole file.
    most : int
        The count ends above this number of bytes.

    Returns
    -------
    int
        In bytes.

    Raises
    ------
    ValueError
        For a damaged file.
    """
    total = 0
    # Messages within messages, each with the fields of it that are left.
    opened = [(MODEL, _fields(content))]
    while opened and total <= most:
        kind, fields = opened[-1]
        number, value = next(fields, (END, content))
        if number == END:
            opened.pop()
        elif number in MESSAGES[kind]:
            if len(opened) > DEEPEST:
                raise ValueError("too deep")
            opened.append((MESSAGES[kind][number], _fields(value)))
            total += FIELD
        elif number in NUMBERS.get(kind, ()):
            total += ITEM + len(value)
        else:
            each = ITEM if number in INTEGERS.get(kind, ()) else UNKNOWN
            total += FIELD + each * len(value)
    return total


def _fields(part: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Split a message into its fields, each with its number and its bytes."""
    at = 0
    while at < len(part):
        key, at = _varint(part, at)
        kind, start = key & 7, at
        if kind == VARINT:
            _, at = _varint(part, at)
        elif kind == LENGTH:
            length, start = _varint(part, at)
            at = start + length
        elif kind in (EIGHT, FOUR):
            at += 8 if kind == EIGHT else 4
        else:
            raise ValueError(f"kind {kind}")
        if at > len(part):
            raise ValueError("too short")
        yield key >> 3, part[start:at]


def _varint(part: memoryview, at: int) -> tuple[int, int]:
    """Read a number of seven bits a byte; return it, and where it ends."""
    value = shift = 0
    while shift < 70:
        if at >= len(part):
            raise ValueError("too short")
        byte = part[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("no number")

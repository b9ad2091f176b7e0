# SPDX-License-Identifier: BSD-2-Clause

"""The largest number of bytes that is read of a file, and the error for a file that claims more.

A few bytes of a file can claim, or unpack to, any number of bytes. So what a file claims is
compared with a bound before memory is taken for it. The bound is `MOST_BYTES` unless a caller gives
another, on the command line by `OPTION`; it is the memory that arrays may take. Other contents take
a multiple of their own length once they are read, so less of them is read: see `TABLE` and the
factors beside it.
"""

import re

from ..contract.errors import InputError

MOST_BYTES = 1 << 30
"""Most bytes of arrays that are read of one file. The largest known set, EMNIST, has 0.55 GB."""

OPTION = "--max-file-size"
"""Name of the option that gives another bound."""

TABLE, NETWORK, ONNX, TEXT, PICKLE = 4, 16, 64, 256, 2048
"""What a byte counts for: of a table, of the numbers of a state dict, of an ONNX file, of a
description, and of a pickle. So a file that is refused has taken less than 200 MB with its reader.
"""

CERTAIN = 1 << 26
"""Bytes above which compressed content is unpacked once to see that it is whole, before it is kept.

So a file that turns out to be damaged has taken no more memory than this.
"""

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgt]?)b?", re.IGNORECASE | re.ASCII)


class SizeError(InputError):
    """A file that claims more bytes than are read."""


def check_claim(what: str, claimed: int, most: int, factor: int = 1) -> None:
    """Raise `SizeError` if content claims more bytes than are read.

    Parameters
    ----------
    what : str
        What claims it, for the message.
    claimed : int
        In bytes.
    most : int
        The bound, in bytes of arrays.
    factor : int
        Memory that a byte of the content takes, such as `TABLE`.
    """
    if claimed * factor > most:
        raise SizeError(
            f"{what} claims {shown_size(claimed)}, more than the {shown_size(most // factor)} that "
            f"are read; if you trust it, give {OPTION} {shown_size(claimed * factor, up=True)}"
        )


def beyond(what: str, most: int, factor: int = 1) -> SizeError:
    """Make the error for content that is longer than the bound, by an unknown number of bytes.

    Parameters
    ----------
    what, most, factor
        As for `check_claim`.
    """
    return SizeError(
        f"{what} holds more than the {shown_size(most // factor)} that are read; if you trust it, "
        f"give {OPTION} with more than {shown_size(most, up=True)}"
    )


def shown_size(count: int, up: bool = False) -> str:
    """Return a number of bytes for a message, as `parse_size` takes it; rounded, or rounded up."""
    name = next((name for name in "tgmk" if count >= UNITS[name]), "")
    tenths = -(-count * 10 // UNITS[name]) if up else (count * 10 + UNITS[name] // 2) // UNITS[name]
    return f"{tenths // 10}.{tenths % 10}{' ' if not up else ''}{_unit(name)}"


def _unit(name: str) -> str:
    return f"{name if name == 'k' else name.upper()}B"


def parse_size(text: str) -> int:
    """Read a number of bytes such as ``500MB``, ``2.5 GB`` or ``1000000``.

    Raises
    ------
    InputError
        For another text.
    """
    match = SIZE.fullmatch(text.strip())
    if match is None or len(text) > 20:
        raise InputError(f"size {text!r}: give a number of bytes such as 500MB or 2.5GB")
    return int(float(match[1]) * UNITS[match[2].lower()])

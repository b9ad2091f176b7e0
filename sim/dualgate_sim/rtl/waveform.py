# SPDX-License-Identifier: BSD-2-Clause

"""What a waveform is to hold: its file, a part of the engine, some batches, and a clock."""

import re
from dataclasses import dataclass
from pathlib import Path

from dualgate.contract.errors import InputError
from dualgate.data.files import check_target

FORMATS = ("fst", "vcd")
"""Formats of waveforms, by the end of the file's name. FST is compressed while it is written."""

CLOCK = 80.0
"""MHz of the clock that a simulated engine is taken to have: that of ULX3S and OrangeCrab."""


@dataclass(frozen=True)
class Waveform:
    """What to record.

    Parameters
    ----------
    path : Path
        File that ends in ``.fst`` or ``.vcd``.
    scope : str
        Part of the engine, such as ``core_0.tangent``; empty for all of it.
    first, last : int
        The batches, counted from 1 when the device is opened.
    period : int
        Picoseconds of a clock period.
    """

    path: Path
    scope: str
    first: int
    last: int
    period: int

    @classmethod
    def parse(cls, path: str, scope: str, batches: str, clock: str | float) -> "Waveform":
        """Read the options of a device.

        Parameters
        ----------
        path, scope : str
        batches : str
            ``N`` for the first N batches, ``A-B`` for those from A to B.
        clock : str or float
            MHz.

        Raises
        ------
        InputError
            For a file that cannot be written or is of no known format, for batches that are no
            range, and for a clock beyond 1 kHz to 10 GHz.
        """
        target = Path(path)
        if target.suffix.lower().removeprefix(".") not in FORMATS:
            raise InputError(f"waveform {path}: give a name that ends in .fst or .vcd")
        check_target(target)
        first, last = _range(batches)
        return cls(target, scope, first, last, clock_period(clock))

    @property
    def format(self) -> str:
        """One of `FORMATS`."""
        return self.path.suffix.lower().removeprefix(".")


def _range(batches: str) -> tuple[int, int]:
    found = re.fullmatch(r"(?:([0-9]{1,18})-)?([0-9]{1,18})", batches.strip())
    first, last = (int(found[1] or 1), int(found[2])) if found else (0, 0)
    if not 1 <= first <= last:
        raise InputError(
            f"batches {batches!r} of a waveform: give a number, such as 3 for the first three, "
            "or a range, such as 5-7"
        )
    return first, last


def clock_period(clock: str | float) -> int:
    """Return the period in picoseconds of a clock in MHz; raises `InputError` for an odd one."""
    try:
        mhz = float(clock)
    except ValueError:
        mhz = 0.0
    if not 1e-3 <= mhz <= 1e4:
        raise InputError(f"clock {clock!r}: give MHz from 0.001 to 10000, such as {CLOCK:g}")
    return round(1e6 / mhz)

# SPDX-License-Identifier: BSD-2-Clause

"""The figures of a build, and why it failed if it did."""

import statistics
from dataclasses import dataclass

import msgspec

from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import InputError
from dualgate.data.json_text import json_text

from .timing import Timing
from .utilisation import Utilisation

RESULT = "result.json"
"""Name of the file that is written last; where it exists, all other products are complete."""


@dataclass(frozen=True)
class Result:
    """The outcome of a build.

    Parameters
    ----------
    board : str
    engine : EngineParameters
    identity : str
        Hash of sources, parameters and tools, hexadecimal; the device states it, too.
    utilisation : Utilisation
    timing : tuple of Timing
        One for each seed; empty for a netlist that was not placed.
    clock_mhz : float
        Rate of the board's clock.
    bitstream_sha256 : str
        Empty where there is no bitstream.
    problem : str
        Why the build failed: the engine does not fit the part, is too slow for its clock, would
        spend LUTs on memories or multipliers, or a tool gave a warning that is not known to be
        harmless. Empty if it did not fail.
    """

    board: str
    engine: EngineParameters
    identity: str
    utilisation: Utilisation
    timing: tuple[Timing, ...]
    clock_mhz: float
    bitstream_sha256: str
    problem: str = ""

    @property
    def median_mhz(self) -> float:
        """Median rate of all placements."""
        return statistics.median(timing.mhz for timing in self.timing)

    @property
    def worst(self) -> Timing:
        """The slowest placement."""
        return min(self.timing, key=lambda timing: timing.mhz)

    @property
    def best(self) -> Timing:
        """The fastest placement, from which the bitstream is made."""
        return max(self.timing, key=lambda timing: timing.mhz)

    def to_json(self) -> str:
        """Return all fields as the text of a file."""
        return json_text(self, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "Result":
        """Make a result from the text that `to_json` returned; every field is checked for its type.

        Raises
        ------
        InputError
            For any other text.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise InputError(f"{RESULT} of the build is damaged: {error}; build again") from None

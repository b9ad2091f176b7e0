# SPDX-License-Identifier: BSD-2-Clause

"""How a link does: what travelled over it, and what had to travel again."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ..contract.commands import Words


@dataclass(frozen=True)
class Health:
    """Counts since the link was opened.

    Parameters
    ----------
    frames_sent, frames_received : int
        Whole frames; those received are those that arrived intact.
    bytes_sent, bytes_received : int
        Everything on the line.
    words_sent, words_received : int
        Of the streams, each once.
    crc_errors : int
        Frames that arrived damaged at the host.
    retries : int
        Times that one side had to go back in its stream, or that a silence had to be ended.
    reconnects : int
        Times that the port was lost and found again.
    round_trip_s : float or None
        From sending a frame to hearing of it, smoothed; None before the first.
    """

    frames_sent: int = 0
    frames_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    words_sent: int = 0
    words_received: int = 0
    crc_errors: int = 0
    retries: int = 0
    reconnects: int = 0
    round_trip_s: float | None = None


@runtime_checkable
class Linked(Protocol):
    """A device that is reached over a link."""

    def exchange(self, words: Words, responses: int, capacity: int) -> Words:
        """As `StreamDevice.exchange`."""

    def health(self) -> Health:
        """How the link does so far."""

    def about(self) -> dict[str, str]:
        """What the device said of itself, by name."""

# SPDX-License-Identifier: BSD-2-Clause

"""The line of a serial link, and the sizes of the link."""

from dataclasses import dataclass

from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .queues import check_depth

LINE = wiring.Signature(
    {
        "received": Out(wiring.Signature({"valid": Out(1), "payload": Out(8)})),
        "sent": In(stream.Signature(8)),
        "tick": Out(1),
    }
)
"""A line of bytes, from the view of the component that drives it.

Members
-------
`received` : Out({valid, payload})
    A byte that arrived; the link takes it in the same cycle.
`sent` : In(stream of unsigned(8))
    Bytes to send.
`tick` : Out(1)
    High for one cycle for each bit that the line can carry.
"""


@dataclass(frozen=True)
class LinkParameters:
    """Sizes of a link.

    Parameters
    ----------
    receive_words : int
        Words in the queue of received commands, a power of two. It limits the commands on their
        way: at 3 Mbaud, 2048 words cover 27 ms.
    send_words : int
        Words in the queue of responses not acknowledged yet, a power of two.
    most_words : int
        Largest payload of a frame that the device sends; small, because a damaged frame is sent
        again as a whole.
    hold_bits : int
        Time that the device waits for more to send, in bits of the line.

    Raises
    ------
    ValueError
        If a size is out of range.
    """

    receive_words: int = 2048
    send_words: int = 512
    most_words: int = 64
    hold_bits: int = 512

    def __post_init__(self) -> None:
        check_depth(self.receive_words)
        check_depth(self.send_words)
        if not 1 <= self.most_words <= self.send_words or self.hold_bits < 1:
            raise ValueError("a link sends at least a word, and at most what it keeps")

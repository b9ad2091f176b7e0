# SPDX-License-Identifier: BSD-2-Clause

"""The engine's two streams of words, with a host that never stalls within a command."""

from dualgate.contract.engine import WORD_BITS
from dualgate.contract.formats import VALUE_WIDTH
from dualgate_hw.compact.instructions import Action, AluOp

from .numbers import MASK, Acts, Sources, signed


class StarvedError(Exception):
    """An instruction waits for a word of a command; it has changed nothing yet."""


class Streams:
    """Queued words of commands, and words of responses.

    Members
    -------
    responses : list of int
        Words sent since the last `feed`.
    """

    def __init__(self) -> None:
        self._words: list[int] = []
        self._taken = self._low = 0
        self.responses: list[int] = []

    def feed(self, words: list[int]) -> None:
        """Provide the words of commands, once all earlier words are taken."""
        self._words, self._taken, self.responses = words, 0, []

    def sources(self) -> Sources:
        """Operations that load half of the next word of a command."""
        return {
            AluOp.INPUT_LOW: lambda _: signed(self._word),
            AluOp.INPUT_HIGH: lambda _: signed(self._word >> VALUE_WIDTH),
        }

    def actions(self) -> Acts:
        """Actions on either stream."""
        return {
            Action.PEEK: lambda _: self._peek(),
            Action.TAKE: lambda _: self._take(),
            Action.SET_LOW: self._set_low,
            Action.SEND: lambda result: self._send(self._low | (result & MASK) << VALUE_WIDTH),
            Action.REPLY: lambda result: self._send(signed(result) & (1 << WORD_BITS) - 1),
        }

    @property
    def _word(self) -> int:
        """The next word of a command; raises `StarvedError` if there is none."""
        if self._taken == len(self._words):
            raise StarvedError
        return self._words[self._taken]

    def _peek(self) -> None:
        _ = self._word

    def _take(self) -> None:
        self._peek()
        self._taken += 1

    def _set_low(self, result: int) -> None:
        self._low = result & MASK

    def _send(self, word: int) -> None:
        self.responses.append(word)

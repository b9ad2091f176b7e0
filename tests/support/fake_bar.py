# SPDX-License-Identifier: BSD-2-Clause

"""A model of a board behind a BAR: the register map, and a function in place of an engine."""

from collections import deque
from collections.abc import Callable

import numpy as np

from dualgate.contract.commands import Words
from dualgate.contract.engine import EngineParameters
from dualgate.link.bar import ALL_ONES, LEVEL_BITS, Control, Page, Register, Status, constants
from dualgate.link.identity import Identity

Answer = Callable[[int, list[int]], list[int]]
"""Function from the operation and the payload of a command to the words of its response."""


class FakeBar:
    """Registers and window as docs/reference/pcie.md defines them, with access word by word.

    Parameters
    ----------
    answer : Answer
        The engine.
    parameters : EngineParameters
        Parameters that the board reports.
    depth : int
        Words of each queue.
    beat : int
        Words that the engine takes at once.

    Attributes
    ----------
    registers : dict
        Offset and value of the constant registers; a test may change them.
    commands, responses : deque
        The queues.
    engine : list of int
        Command words that the engine has taken and not answered yet.
    resets : int
        Number of resets of the command stream.
    gone : bool
        The board has left the bus.
    closed : bool
        The host has closed the device.
    """

    def __init__(
        self,
        answer: Answer,
        parameters: EngineParameters,
        depth: int = 8,
        beat: int = 1,
    ) -> None:
        words = Identity(parameters, bytes(range(32))).words()
        self.registers = constants(words, depth, depth, beat)
        self.depth, self.beat = depth, beat
        self._answer = answer
        self.commands: deque[int] = deque()
        self.responses: deque[int] = deque()
        self.engine: list[int] = []
        self._unsaid: deque[int] = deque()
        self.status = Status(0)
        self.resets = 0
        self.gone = False
        self.closed = False

    def read(self, offset: int) -> int:
        if self.gone:
            return ALL_ONES
        self._run()
        if offset == Register.LEVELS:
            return self.depth - len(self.commands) | len(self.responses) << LEVEL_BITS
        if offset == Register.STATUS:
            return int(self.status)
        if offset >> 12 == Page.WINDOW:
            if self.responses:
                return self.responses.popleft()
            self.status |= Status.UNDERRUN
            return 0
        return self.registers.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        self._run()
        if offset == Register.CONTROL and value & Control.RESET:
            for queue in (self.commands, self.responses, self.engine, self._unsaid):
                queue.clear()
            self.status, self.resets = Status(0), self.resets + 1
        elif offset >> 12 == Page.WINDOW:
            if len(self.commands) < self.depth:
                self.commands.append(value)
            else:
                self.status |= Status.OVERRUN

    def send(self, words: Words) -> None:
        for word in words.tolist():
            self.write(Page.WINDOW.base, word)

    def receive(self, count: int) -> Words:
        return np.array([self.read(Page.WINDOW.base) for _ in range(count)], np.uint32)

    def close(self) -> None:
        self.closed = True

    def _run(self) -> None:
        """Run the engine: take at most one beat, then answer a command if it is complete."""
        if len(self.commands) >= self.beat:
            self.engine += [self.commands.popleft() for _ in range(self.beat)]
        while self.engine and not self.engine[0]:
            self.engine.pop(0)
        if self.engine and len(self.engine) > self.engine[0] >> 16:
            end = 1 + (self.engine[0] >> 16)
            self._unsaid.extend(self._answer(self.engine[0] & 0xFF, self.engine[1:end]))
            del self.engine[:end]
        while self._unsaid and len(self.responses) < self.depth:
            self.responses.append(self._unsaid.popleft())

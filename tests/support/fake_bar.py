# SPDX-License-Identifier: BSD-2-Clause

"""A board behind a BAR in plain Python: the register map, and an engine made of a function."""

from collections import deque
from collections.abc import Callable

from dualgate.contract.engine import EngineParameters
from dualgate.link.bar import ALL_ONES, LEVEL_BITS, Control, Page, Register, Status, constants
from dualgate.link.identity import Identity

Answer = Callable[[int, list[int]], list[int]]
"""Words of the response to a command, from its operation and its payload."""


class FakeBar:
    """What docs/reference/pcie.md says of registers and window, a word access at a time.

    Members
    -------
    registers : dict, the constants; a test may change them
    commands, responses : the queues
    engine : the command words the engine took and has not answered yet
    resets : how often the stream was reset
    gone : the board has left the bus
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

    def close(self) -> None:
        self.closed = True

    def _run(self) -> None:
        """A turn of the engine: as far as it gets with what is there, but one beat at most."""
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

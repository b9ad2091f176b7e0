# SPDX-License-Identifier: BSD-2-Clause

"""Commands without samples: the dispatch of headers, identity, counters, and refused commands."""

from dualgate.contract.commands import COUNTERS, IDENTITY_FIELDS, MAGIC, PROTOCOL, Status
from dualgate.contract.commands import Op as Command
from dualgate.contract.formats import VALUE_WIDTH

from ..instructions import Action, AluOp, Condition
from .basics import Code, clear_cells
from .data_memory import COUNTER_CELLS

HANDLERS: dict[int, str] = {
    Command.IDENTIFY: "identify",
    Command.LAYER: "layer",
    Command.SETTINGS: "settings",
    Command.WRITE_WEIGHTS: "write_weights",
    Command.READ_WEIGHTS: "read_weights",
    Command.WRITE_VELOCITY: "write_velocity",
    Command.READ_VELOCITY: "read_velocity",
    Command.TRAIN: "train",
    Command.INFER: "infer",
    Command.TRAIN_DENSE: "train_dense",
    Command.INFER_DENSE: "infer_dense",
    Command.APPLY: "apply",
    Command.COUNTERS: "counters",
    Command.CLEAR_COUNTERS: "clear_counters",
}
"""The routine of each command. It ends by going to `respond`, `length` or `command`."""


def dispatch(code: Code) -> None:
    """Take a header and go to the routine of its command.

    Afterwards `header` is the opcode and `left` the number of words of the payload.
    """
    asm, memory = code.asm, code.memory
    handlers = asm.cells.array([HANDLERS.get(op, "unknown") for op in range(max(HANDLERS) + 1)])
    with asm.routine("command"):
        asm.copy(AluOp.INPUT_HIGH, memory.left, do=Action.PEEK)
        asm.copy(AluOp.INPUT_LOW, memory.scratch, do=Action.TAKE)
        asm.mask(0xFF)
        asm.keep(store=memory.header)
        asm.load(memory.scratch)
        asm.go("not_padding", Condition.NOT_ZERO)
        # A word of zero is padding.
        asm.load(memory.left)
        asm.go("command", Condition.ZERO)
        asm.label("not_padding")
        asm.load(memory.header, do=Action.SET_X)
        asm.subtract(max(HANDLERS) + 1)
        asm.go("unknown", Condition.NOT_NEGATIVE)
        asm.load(handlers, do=Action.SET_LINK)
        asm.go_back()


def refuse(code: Code) -> None:
    """`unknown`, `length`: skip the payload and answer with a header that has that status.

    `respond`: answer with the header in `header`.
    """
    asm, memory = code.asm, code.memory
    with asm.routine("unknown"):
        asm.load(Status.UNKNOWN << 8, go="refuse")
        asm.entry("length")
        asm.load(Status.LENGTH << 8)
        asm.label("refuse")
        asm.add(memory.header, store=memory.header)
        asm.label("skip")
        asm.load(memory.left)
        asm.go("respond", Condition.ZERO)
        asm.decrement(memory.left, store=memory.left)
        asm.keep(do=Action.TAKE, go="skip")
        asm.entry("respond")
        asm.load(memory.header, do=Action.SET_LOW)
        asm.clear(do=Action.SEND, go="command")


def _answer(code: Code, words: int) -> None:
    """Begin an answer of `words` words to a command that must have no payload."""
    asm, memory = code.asm, code.memory
    asm.load(memory.left)
    asm.go("length", Condition.NOT_ZERO)
    asm.load(memory.header, do=Action.SET_LOW)
    asm.load(words, do=Action.SEND)


def identify(code: Code) -> None:
    """IDENTIFY: answer with the magic number, the protocol and the engine's parameters."""
    asm, memory = code.asm, code.memory
    engine = vars(code.places.shapes.engine)
    # All words but the first, the magic number, fit in a half. They are stored last word first,
    # because the loop counts down.
    values = [{"protocol": PROTOCOL, **engine}[name] for name in IDENTITY_FIELDS[:0:-1]]
    fields = asm.cells.array(values)
    with asm.routine("identify"):
        _answer(code, len(IDENTITY_FIELDS))
        asm.load(MAGIC & 0xFFFF, do=Action.SET_LOW)
        asm.load(MAGIC >> VALUE_WIDTH, do=Action.SEND)
        asm.load(len(values) - 1)
        asm.label("next")
        asm.keep(store=memory.unit)
        asm.keep(do=Action.SET_X)
        asm.load(fields, do=Action.SET_LOW)
        asm.clear(do=Action.SEND)
        asm.decrement(memory.unit)
        asm.go("next", Condition.NOT_NEGATIVE)
        asm.go("command")


def report_counters(code: Code) -> None:
    """COUNTERS and CLEAR_COUNTERS."""
    asm, memory = code.asm, code.memory
    cells = COUNTER_CELLS * len(COUNTERS)
    with asm.routine("counters"):
        _answer(code, cells // 2)
        asm.clear()
        asm.label("next")
        asm.keep(store=memory.unit)
        asm.keep(do=Action.SET_X)
        asm.load(memory.counters[0], do=Action.SET_LOW)
        asm.load(memory.counters[1], do=Action.SEND)
        asm.load(memory.unit)
        asm.subtract(cells - 2)
        asm.go("command", Condition.ZERO)
        asm.add(cells, go="next")
    with asm.routine("clear_counters"):
        asm.load(memory.left)
        asm.go("length", Condition.NOT_ZERO)
        clear_cells(code, memory.counters[0], cells)
        asm.go("respond")

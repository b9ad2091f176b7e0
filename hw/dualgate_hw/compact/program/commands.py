# SPDX-License-Identifier: BSD-2-Clause

"""Commands without samples: their headers, identity, counters, and what is refused."""

from dualgate.contract.commands import COUNTERS, IDENTITY_FIELDS, MAGIC, PROTOCOL, Status
from dualgate.contract.commands import Op as Command
from dualgate.contract.formats import VALUE_WIDTH

from ..instructions import Action, AluOp, Condition
from .basics import Code, clear_words
from .data_memory import COUNTER_WORDS

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
"""Where each command is done. They end with `respond`, `length` or `command`."""


def dispatch(code: Code) -> None:
    """Take a header; go where its command is done."""
    asm, memory = code.asm, code.memory
    handlers = asm.array([HANDLERS.get(op, "unknown") for op in range(max(HANDLERS) + 1)])
    asm.label("command")
    asm.load(AluOp.INPUT_HIGH, do=Action.PEEK)
    asm.keep(store=memory.left)
    asm.load(AluOp.INPUT_LOW, do=Action.TAKE)
    asm.keep(store=memory.scratch)
    asm.mask(0xFF)
    asm.keep(store=memory.header)
    asm.load(memory.scratch)
    asm.go("some", Condition.NOT_ZERO)
    # A word of zero is no command.
    asm.load(memory.left)
    asm.go("command", Condition.ZERO)
    asm.label("some")
    asm.load(memory.header, do=Action.SET_X)
    asm.subtract(max(HANDLERS) + 1)
    asm.go("unknown", Condition.NOT_NEGATIVE)
    asm.load(handlers, do=Action.SET_LINK)
    asm.go_back()


def refuse(code: Code) -> None:
    """Read a payload to its end, and answer with a header alone."""
    asm, memory = code.asm, code.memory
    asm.label("unknown")
    asm.load(Status.UNKNOWN << 8, go="refuse")
    asm.label("length")
    asm.load(Status.LENGTH << 8)
    asm.label("refuse")
    asm.add(memory.header, store=memory.header)
    asm.label("skip")
    asm.load(memory.left)
    asm.go("respond", Condition.ZERO)
    asm.decrement(memory.left, store=memory.left)
    asm.keep(do=Action.TAKE, go="skip")
    asm.label("respond")
    asm.load(memory.header, do=Action.SET_LOW)
    asm.clear(do=Action.SEND, go="command")


def _answer(code: Code, words: int) -> None:
    """Begin an answer to a command that must have no payload."""
    asm, memory = code.asm, code.memory
    asm.load(memory.left)
    asm.go("length", Condition.NOT_ZERO)
    asm.load(memory.header, do=Action.SET_LOW)
    asm.load(words, do=Action.SEND)


def identify(code: Code) -> None:
    """IDENTIFY."""
    asm, memory = code.asm, code.memory
    engine = vars(code.places.shapes.engine)
    # The words behind the first, which has two halves, the last one in front.
    values = [{"protocol": PROTOCOL, **engine}[name] for name in IDENTITY_FIELDS[:0:-1]]
    rest = asm.array(values)
    asm.label("identify")
    _answer(code, len(IDENTITY_FIELDS))
    asm.load(MAGIC & 0xFFFF, do=Action.SET_LOW)
    asm.load(MAGIC >> VALUE_WIDTH, do=Action.SEND)
    asm.load(len(values) - 1)
    asm.label("next_field")
    asm.keep(store=memory.unit)
    asm.keep(do=Action.SET_X)
    asm.load(rest, do=Action.SET_LOW)
    asm.clear(do=Action.SEND)
    asm.decrement(memory.unit)
    asm.go("next_field", Condition.NOT_NEGATIVE)
    asm.go("command")


def report_counters(code: Code) -> None:
    """COUNTERS and CLEAR_COUNTERS."""
    asm, memory = code.asm, code.memory
    words = COUNTER_WORDS * len(COUNTERS)
    asm.label("counters")
    _answer(code, words // 2)
    asm.clear()
    asm.label("next_word")
    asm.keep(store=memory.unit)
    asm.keep(do=Action.SET_X)
    asm.load(memory.counters[0], do=Action.SET_LOW)
    asm.load(memory.counters[1], do=Action.SEND)
    asm.load(memory.unit)
    asm.subtract(words - 2)
    asm.go("command", Condition.ZERO)
    asm.add(words, go="next_word")
    asm.label("clear_counters")
    asm.load(memory.left)
    asm.go("length", Condition.NOT_ZERO)
    clear_words(code, memory.counters[0], words)
    asm.go("respond")

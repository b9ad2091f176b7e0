# SPDX-License-Identifier: BSD-2-Clause

"""Samples: their commands become targets, masks, and a list of nonzero inputs."""

from dualgate.contract.commands import Op as Command

from ..instructions import Action, AluOp, Condition
from .basics import Code
from .data_memory import Descriptor

OVERHEAD = 2 * 34
"""Cycles of a sample that are not counted one by one: its header's, and those of the counting."""


def begin_sample(code: Code) -> None:
    """TRAIN, INFER and their dense forms: what they are, and whether their lengths are right."""
    asm, memory = code.asm, code.memory
    _begin(code, "train", Command.TRAIN)
    asm.keep(store=memory.train)
    asm.load(memory.last_layer, do=Action.SET_Y)
    asm.load(memory.masked)
    asm.keep(store=memory.masking)
    asm.go("no_masks", Condition.ZERO)
    asm.load(memory.mask_halves, do=Action.SET_NUMBER)
    asm.load(1, do=Action.SET_SHIFT)
    asm.load(AluOp.NARROW)
    asm.label("no_masks")
    asm.add(Descriptor.outputs, go="check")
    _begin(code, "infer", Command.INFER)
    asm.clear(store=memory.train)
    asm.clear(store=memory.masking)
    asm.label("check")
    # A is what comes before the inputs.
    asm.keep(store=memory.scratch)
    asm.load(OVERHEAD, do=Action.START_CYCLES)
    asm.clear(do=Action.SET_Y)
    asm.load(memory.left)
    asm.subtract(memory.scratch)
    asm.go("enough", Condition.CARRY)
    asm.label("refuse_sample")
    asm.keep(do=Action.STOP_CYCLES, go="length")
    asm.label("enough")
    asm.keep(store=memory.scratch)
    asm.load(memory.dense)
    asm.go("check_dense", Condition.NOT_ZERO)
    asm.load(Descriptor.inputs)
    asm.subtract(memory.scratch)
    asm.go("targets", Condition.CARRY)
    asm.go("refuse_sample")
    asm.label("check_dense")
    asm.load(Descriptor.rows, do=Action.SET_NUMBER)
    asm.load(1, do=Action.SET_SHIFT)
    asm.load(AluOp.NARROW)
    asm.subtract(memory.scratch)
    asm.go("refuse_sample", Condition.NOT_ZERO)


def _begin(code: Code, name: str, command: Command) -> None:
    """A command, whether dense or not; the answer is the same."""
    asm, memory = code.asm, code.memory
    asm.label(f"{name}_dense")
    asm.load(1, go=f"{name}_any")
    asm.label(name)
    asm.clear()
    asm.label(f"{name}_any")
    asm.keep(store=memory.dense)
    asm.load(command)
    asm.keep(store=memory.header)


def take_front(code: Code) -> None:
    """Targets and masks."""
    asm, memory = code.asm, code.memory
    asm.label("targets")
    asm.load(memory.train)
    asm.go("inputs", Condition.ZERO)
    asm.load(memory.last_layer, do=Action.SET_Y)
    asm.clear()
    asm.label("next_target")
    asm.keep(store=memory.unit)
    asm.subtract(Descriptor.outputs)
    asm.go("masks", Condition.ZERO)
    asm.load(memory.unit, do=Action.SET_X)
    asm.load(AluOp.INPUT_LOW, do=Action.TAKE)
    asm.keep(store=memory.targets)
    asm.decrement(memory.left, store=memory.left)
    asm.increment(memory.unit, go="next_target")
    asm.label("masks")
    asm.load(memory.masking)
    asm.go("inputs", Condition.ZERO)
    asm.clear()
    asm.label("next_mask")
    asm.keep(store=memory.unit)
    asm.subtract(memory.mask_halves)
    asm.go("inputs", Condition.ZERO)
    asm.load(memory.unit, do=Action.SET_X)
    asm.load(AluOp.INPUT_LOW, do=Action.PEEK)
    asm.keep(store=memory.masks[0])
    asm.load(AluOp.INPUT_HIGH, do=Action.TAKE)
    asm.keep(store=memory.masks[1])
    asm.decrement(memory.left, store=memory.left)
    asm.load(memory.unit)
    asm.add(2, go="next_mask")


def take_inputs(code: Code) -> None:
    """The list of inputs, and the bias behind them: one more input, always there."""
    asm, memory = code.asm, code.memory
    asm.label("inputs")
    asm.clear(do=Action.SET_Y)
    asm.clear(do=Action.SET_PLACE)
    asm.clear(store=memory.unit)
    asm.label("next_input")
    asm.load(memory.left)
    asm.go("bias", Condition.ZERO)
    asm.load(memory.dense)
    asm.go("dense", Condition.NOT_ZERO)
    asm.load(AluOp.INPUT_HIGH, do=Action.PEEK)
    asm.subtract(Descriptor.inputs)
    asm.go("beyond", Condition.CARRY)
    asm.decrement(memory.left, store=memory.left)
    asm.load(AluOp.INPUT_HIGH, do=Action.SET_INDEX)
    asm.load(AluOp.INPUT_LOW, do=Action.TAKE)
    asm.go("next_input", Condition.ZERO)
    asm.keep(do=Action.PUT_ENTRY, go="next_input")
    asm.label("dense")
    asm.load(memory.unit, do=Action.SET_INDEX)
    asm.increment(memory.unit, store=memory.unit)
    asm.load(AluOp.INPUT_LOW, do=Action.PEEK)
    asm.go("second", Condition.ZERO)
    asm.keep(do=Action.PUT_ENTRY)
    asm.label("second")
    asm.load(AluOp.INPUT_HIGH)
    asm.go("taken", Condition.ZERO)
    asm.load(memory.unit, do=Action.SET_INDEX)
    asm.subtract(Descriptor.inputs)
    asm.go("beyond", Condition.CARRY)
    asm.load(AluOp.INPUT_HIGH, do=Action.PUT_ENTRY)
    asm.label("taken")
    asm.increment(memory.unit, store=memory.unit)
    asm.decrement(memory.left, store=memory.left)
    asm.keep(do=Action.TAKE, go="next_input")
    asm.label("beyond")
    asm.keep(do=Action.STOP_CYCLES, go="length")
    asm.label("bias")
    asm.load(Descriptor.inputs, do=Action.SET_INDEX)
    asm.load(Descriptor.bias, do=Action.PUT_ENTRY)
    asm.load(AluOp.PLACE)
    asm.keep(store=Descriptor.count)


def end_work(code: Code) -> None:
    """Add the cycles of a sample, or of a batch's end, to their counter."""
    asm, words = code.asm, code.memory.counters
    asm.label("end_work")
    asm.keep(do=Action.STOP_CYCLES)
    asm.clear(do=Action.SET_X)
    asm.load(AluOp.CYCLES_LOW)
    asm.add(words[0], store=words[0])
    asm.load(AluOp.CYCLES_HIGH)
    asm.add_carry(words[1], store=words[1])
    asm.go("carry_0", Condition.CARRY)
    asm.go_back()

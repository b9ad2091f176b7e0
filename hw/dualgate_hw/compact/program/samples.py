# SPDX-License-Identifier: BSD-2-Clause

"""The commands of a sample: targets, masks, and a list of nonzero inputs."""

from dualgate.contract.commands import Op as Command

from ..instructions import Action, AluOp, Condition
from .basics import Code
from .data_memory import Descriptor

OVERHEAD = 2 * 34
"""Cycles of a sample that are not counted one by one: those of its header and of the counting."""


def begin_sample(code: Code) -> None:
    """TRAIN, INFER and their dense forms: set what the sample is, and check its length."""
    asm, memory = code.asm, code.memory
    with asm.block("begin_sample"):
        _begin(code, "train", Command.TRAIN)
        asm.keep(store=memory.train)
        asm.load(memory.last_layer, do=Action.SET_Y)
        asm.copy(memory.masked, memory.masking)
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
        # A is the number of words that come before the inputs.
        asm.keep(store=memory.scratch)
        asm.load(OVERHEAD, do=Action.START_CYCLES)
        asm.clear(do=Action.SET_Y)
        asm.load(memory.left)
        asm.subtract(memory.scratch)
        asm.go("check_inputs", Condition.CARRY)
        asm.label("refuse_sample")
        asm.keep(do=Action.STOP_CYCLES, go="length")
        asm.label("check_inputs")
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
    """Begin a command in its sparse or dense form; both are answered with the sparse opcode."""
    asm, memory = code.asm, code.memory
    with asm.block(name):
        asm.entry(f"{name}_dense")
        asm.load(1, go="either")
        asm.entry(name)
        asm.clear()
        asm.label("either")
        asm.keep(store=memory.dense)
        asm.copy(command, memory.header)


def take_targets_and_masks(code: Code) -> None:
    """`targets`: take the targets and the masks, if the sample trains and has masks."""
    asm, memory = code.asm, code.memory
    with asm.routine("targets"):
        asm.load(memory.train)
        asm.go("inputs", Condition.ZERO)
        asm.load(memory.last_layer, do=Action.SET_Y)
        asm.clear()
        asm.label("next_target")
        asm.keep(store=memory.unit)
        asm.subtract(Descriptor.outputs)
        asm.go("masks", Condition.ZERO)
        asm.load(memory.unit, do=Action.SET_X)
        asm.copy(AluOp.INPUT_LOW, memory.targets, do=Action.TAKE)
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
        asm.copy(AluOp.INPUT_LOW, memory.masks[0], do=Action.PEEK)
        asm.copy(AluOp.INPUT_HIGH, memory.masks[1], do=Action.TAKE)
        asm.decrement(memory.left, store=memory.left)
        asm.load(memory.unit)
        asm.add(2, go="next_mask")


def take_inputs(code: Code) -> None:
    """`inputs`: make the list of inputs, and an entry behind them for the bias."""
    asm, memory = code.asm, code.memory
    with asm.routine("inputs"):
        asm.clear(do=Action.SET_Y)
        asm.clear(do=Action.SET_PLACE)
        asm.clear(store=memory.unit)
        asm.label("next")
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
        asm.go("next", Condition.ZERO)
        asm.keep(do=Action.PUT_ENTRY, go="next")
        asm.label("dense")
        _take_pair(code)
        asm.go("next")
        asm.label("beyond")
        asm.keep(do=Action.STOP_CYCLES, go="length")
        asm.label("bias")
        asm.load(Descriptor.inputs, do=Action.SET_INDEX)
        asm.load(Descriptor.bias, do=Action.PUT_ENTRY)
        asm.copy(AluOp.PLACE, Descriptor.count)


def _take_pair(code: Code) -> None:
    """Take a word with two inputs; those that are not zero become entries.

    If the second one is nonzero and beyond the network's inputs, go to `beyond`.
    """
    asm, memory = code.asm, code.memory
    with asm.block("take_pair"):
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
        asm.keep(do=Action.TAKE)


def end_work(code: Code) -> None:
    """`end_work`: add the cycles of a sample, or of a batch's end, to their counter."""
    asm, cells = code.asm, code.memory.counters
    with asm.routine("end_work"):
        asm.keep(do=Action.STOP_CYCLES)
        asm.clear(do=Action.SET_X)
        asm.load(AluOp.CYCLES_LOW)
        asm.add(cells[0], store=cells[0])
        asm.load(AluOp.CYCLES_HIGH)
        asm.add_carry(cells[1], store=cells[1])
        asm.go("count_carry", Condition.CARRY)
        asm.go_back()

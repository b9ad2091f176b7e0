# SPDX-License-Identifier: BSD-2-Clause

"""LAYER and SETTINGS: fields are extracted from command words and converted for the program."""

from amaranth.utils import ceil_log2, exact_log2

from dualgate.contract.commands import SETTINGS_FIELDS, SETTINGS_WORDS
from dualgate.contract.engine import WORD_BITS
from dualgate.contract.formats import VALUE_WIDTH
from dualgate.contract.layout import LAYER_FIELDS, LAYER_WORDS

from ..instructions import Action, AluOp, Cell, Condition
from .basics import Code, clear_cells, double, test_flag
from .data_memory import LAST, ROUNDS, Descriptor, Fields, begins

HALF = VALUE_WIDTH
"""Bits of half a command word."""


def _take(code: Code, words: int, fields: Fields, whole: dict[str, Cell]) -> None:
    """Take the command's words, half by half.

    A half that consists of a field in `whole` goes to that cell; the others go to `raw`, from which
    `_extract` takes fields.
    """
    asm, cells = code.asm, list(code.memory.raw)
    for name, cell in whole.items():
        cells[begins(fields, name)[0]] = cell
    for low, high in zip(cells[: 2 * words : 2], cells[1 : 2 * words : 2], strict=True):
        asm.copy(AluOp.INPUT_LOW, low, do=Action.PEEK)
        asm.copy(AluOp.INPUT_HIGH, high, do=Action.TAKE)


def _extract(code: Code, fields: Fields, name: str, half_word: Cell | None = None) -> None:
    """A = a field, which must lie within a half; the half is in `raw` or the given cell."""
    asm = code.asm
    bits = dict(fields)[name]
    half, low = begins(fields, name)
    if low + bits > HALF:
        raise ValueError(f"{name} lies in two halves of a word")
    asm.load(half_word or code.memory.raw[half], do=Action.SET_NUMBER)
    if low:
        asm.load(low, do=Action.SET_SHIFT)
        asm.load(AluOp.NARROW)
    if bits < HALF:
        asm.mask((1 << bits) - 1)


def set_layer(code: Code) -> None:
    """LAYER: fill a layer's descriptor."""
    asm, memory = code.asm, code.memory
    layers = 1 << ceil_log2(code.places.shapes.engine.layers)
    with asm.routine("layer"):
        asm.load(memory.left)
        asm.subtract(1 + LAYER_WORDS)
        asm.go("length", Condition.NOT_ZERO)
        asm.load(AluOp.INPUT_LOW, do=Action.TAKE)
        asm.mask(layers - 1)
        double(code, exact_log2(asm.fields))
        asm.keep(store=memory.layer)
        asm.keep(do=Action.SET_Y)
        whole = ("inputs", "outputs", "groups", "weight_base")
        taken = {name: getattr(Descriptor, name) for name in whole}
        _take(code, LAYER_WORDS, LAYER_FIELDS, {**taken, "last": Descriptor.flags})
        asm.increment(Descriptor.inputs)
        asm.keep(store=Descriptor.rows)
        _derive(code)
        _set_lists(code)
        # The lanes beyond a group's last unit have no update scalar of their own. These cells must
        # be zero, and a network configured before may have left numbers in them.
        clear_cells(code, memory.updates, code.places.units)
        asm.go("respond")


def _derive(code: Code) -> None:
    """Shifts, the activation and numbers that follow from it, formats and bases."""
    asm, memory = code.asm, code.memory

    def extract(name: str) -> None:
        _extract(code, LAYER_FIELDS, name)

    _extract(code, LAYER_FIELDS, "apply_shift", Descriptor.flags)
    asm.keep(store=Descriptor.apply_shift)
    extract("z_shift")
    asm.add(ROUNDS)
    asm.keep(store=Descriptor.z_shift)
    extract("activation")
    asm.keep(do=Action.SET_X)
    asm.copy(memory.activation_routines, Descriptor.activation_routine)
    asm.copy(memory.gains, Descriptor.gain)
    extract("in_frac")
    asm.keep(do=Action.SET_X)
    asm.copy(memory.powers, Descriptor.bias)
    extract("vector_base")
    double(code, exact_log2(code.neurons))
    asm.keep(store=Descriptor.unit_base)


def _set_lists(code: Code) -> None:
    """Set the places of the layer's lists and, from the last layer, the length of the masks."""
    asm, memory = code.asm, code.memory
    with asm.block("set_lists"):
        asm.load(memory.layer)
        asm.go("not_first", Condition.NOT_ZERO)
        asm.clear(store=Descriptor.list)
        asm.load(code.places.hidden, go="set_next")
        asm.label("not_first")
        _extract(code, LAYER_FIELDS, "list_base")
        asm.add(code.places.hidden)
        asm.keep(store=Descriptor.list)
        asm.add(Descriptor.rows)
        asm.label("set_next")
        asm.keep(store=Descriptor.next_list)
        test_flag(code, LAST)
        asm.go("not_last", Condition.ZERO)
        asm.copy(memory.layer, memory.last_layer)
        _extract(code, LAYER_FIELDS, "list_base")
        asm.add(Descriptor.inputs, do=Action.SET_NUMBER)
        asm.load(exact_log2(WORD_BITS), do=Action.SET_SHIFT)
        asm.copy(AluOp.NARROW, memory.value)
        asm.increment(memory.value)
        double(code)
        asm.keep(store=memory.mask_halves)
        asm.label("not_last")


def set_settings(code: Code) -> None:
    """SETTINGS: set the cells of the settings."""
    asm, memory = code.asm, code.memory
    with asm.routine("settings"):
        asm.load(memory.left)
        asm.subtract(SETTINGS_WORDS)
        asm.go("length", Condition.NOT_ZERO)
        _take(code, SETTINGS_WORDS, SETTINGS_FIELDS, {})
        for name, cell, offset in (
            ("rate_mantissa", memory.rate, 0),
            ("rate_shift", memory.rate_shift, ROUNDS),
            # Pruning compares bit lengths, which are one more than the place of the highest bit.
            ("prune", memory.prune, -1),
            ("momentum", memory.momentum, 0),
            ("masked", memory.masked, 0),
        ):
            _extract(code, SETTINGS_FIELDS, name)
            if offset:
                asm.add(offset)
            asm.keep(store=cell)
        asm.go("respond")

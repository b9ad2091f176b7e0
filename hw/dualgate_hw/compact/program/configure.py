# SPDX-License-Identifier: BSD-2-Clause

"""LAYER and SETTINGS: fields are taken out of their words, and made what the program wants."""

from amaranth.utils import ceil_log2, exact_log2

from dualgate.contract.commands import SETTINGS_FIELDS, SETTINGS_WORDS
from dualgate.contract.engine import WORD_BITS
from dualgate.contract.formats import VALUE_WIDTH
from dualgate.contract.layout import LAYER_FIELDS, LAYER_WORDS

from ..instructions import Action, AluOp, Cell, Condition
from .basics import Code, clear_words, double, test_flag
from .data_memory import LAST, ROUNDS, Descriptor, Fields, begins

HALF = VALUE_WIDTH


def _take(code: Code, words: int, fields: Fields, wanted: dict[str, Cell]) -> None:
    """Halves of a command's words: to where they are `wanted`, or where `_extract` looks."""
    asm, places = code.asm, list(code.memory.raw)
    for name, place in wanted.items():
        places[begins(fields, name)[0]] = place
    for low, high in zip(places[: 2 * words : 2], places[1 : 2 * words : 2], strict=True):
        asm.load(AluOp.INPUT_LOW, do=Action.PEEK)
        asm.keep(store=low)
        asm.load(AluOp.INPUT_HIGH, do=Action.TAKE)
        asm.keep(store=high)


def _extract(code: Code, fields: Fields, name: str, half_word: Cell | None = None) -> None:
    """A = a field that lies within a half."""
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
    """LAYER."""
    asm, memory = code.asm, code.memory
    layers = 1 << ceil_log2(code.places.shapes.engine.layers)

    def extract(name: str) -> None:
        _extract(code, LAYER_FIELDS, name)

    asm.label("layer")
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
    _extract(code, LAYER_FIELDS, "apply_shift", Descriptor.flags)
    asm.keep(store=Descriptor.apply_shift)
    extract("z_shift")
    asm.add(ROUNDS)
    asm.keep(store=Descriptor.z_shift)
    extract("activation")
    asm.keep(do=Action.SET_X)
    asm.load(memory.activation_routines)
    asm.keep(store=Descriptor.activation_routine)
    asm.load(memory.gains)
    asm.keep(store=Descriptor.gain)
    extract("in_frac")
    asm.keep(do=Action.SET_X)
    asm.load(memory.powers)
    asm.keep(store=Descriptor.bias)
    extract("vector_base")
    double(code, exact_log2(code.neurons))
    asm.keep(store=Descriptor.unit_base)
    _set_lists(code)
    # Lanes without a unit have no update scalar; the network before may have had one there.
    clear_words(code, memory.updates, code.places.units)
    asm.go("respond")


def _set_lists(code: Code) -> None:
    """Where lists are; of the last layer, how many words its masks have."""
    asm, memory = code.asm, code.memory
    asm.load(memory.layer)
    asm.go("inner", Condition.NOT_ZERO)
    asm.clear(store=Descriptor.list)
    asm.load(code.places.hidden, go="listed")
    asm.label("inner")
    _extract(code, LAYER_FIELDS, "list_base")
    asm.add(code.places.hidden)
    asm.keep(store=Descriptor.list)
    asm.add(Descriptor.rows)
    asm.label("listed")
    asm.keep(store=Descriptor.next_list)
    test_flag(code, LAST)
    asm.go("not_last", Condition.ZERO)
    asm.load(memory.layer)
    asm.keep(store=memory.last_layer)
    _extract(code, LAYER_FIELDS, "list_base")
    asm.add(Descriptor.inputs, do=Action.SET_NUMBER)
    asm.load(exact_log2(WORD_BITS), do=Action.SET_SHIFT)
    asm.load(AluOp.NARROW)
    asm.keep(store=memory.value)
    asm.increment(memory.value)
    double(code)
    asm.keep(store=memory.mask_halves)
    asm.label("not_last")


def set_settings(code: Code) -> None:
    """SETTINGS."""
    asm, memory = code.asm, code.memory
    asm.label("settings")
    asm.load(memory.left)
    asm.subtract(SETTINGS_WORDS)
    asm.go("length", Condition.NOT_ZERO)
    _take(code, SETTINGS_WORDS, SETTINGS_FIELDS, {})
    for name, word, more in (
        ("rate_mantissa", memory.rate, 0),
        ("rate_shift", memory.rate_shift, ROUNDS),
        # A bit length is one more than the place of the highest bit.
        ("prune", memory.prune, -1),
        ("momentum", memory.momentum, 0),
        ("masked", memory.masked, 0),
    ):
        _extract(code, SETTINGS_FIELDS, name)
        if more:
            asm.add(more)
        asm.keep(store=word)
    asm.go("respond")

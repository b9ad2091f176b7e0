# SPDX-License-Identifier: BSD-2-Clause

"""The assembler of the compact engine (compact/assembler.py, joining.py, labels.py, cells.py)."""

from collections.abc import Callable

import pytest

from dualgate_hw.compact.assembler import Assembler
from dualgate_hw.compact.instructions import Action, AluOp, Condition


def assembler() -> Assembler:
    return Assembler(fields=2, layers=2)


def targets(asm: Assembler) -> list[int]:
    """Positions that the program's jumps go to."""
    return [one["target"] for one in asm.program if one["condition"] == Condition.ALWAYS.value]


def test_an_instruction_does_the_work_of_the_one_behind_if_it_can() -> None:
    asm = assembler()
    word, other = asm.cells.variable(), asm.cells.variable()
    asm.load(AluOp.NARROW)
    asm.keep(store=word)
    assert len(asm.program) == 1
    asm.load(word)
    asm.keep(do=Action.SET_X)
    assert len(asm.program) == 2
    # Two actions, two addresses, a label between them, or a condition of the result.
    asm.keep(do=Action.SET_Y)
    assert len(asm.program) == 3
    asm.load(word)
    asm.keep(store=other)
    assert len(asm.program) == 5
    asm.label("here")
    asm.keep(do=Action.SET_X)
    assert len(asm.program) == 6
    asm.load(word)
    asm.go("here", Condition.ZERO)
    assert len(asm.program) == 8


@pytest.mark.parametrize("source", ["cell", 7, AluOp.NARROW])
@pytest.mark.parametrize("do", [Action.NONE, Action.SET_X])
@pytest.mark.parametrize("go", ["", "end"])
def test_a_copy_is_a_load_and_a_keep(source: str | int | AluOp, do: Action, go: str) -> None:
    def program(write: Callable[[Assembler], None]) -> list[int]:
        asm = assembler()
        write(asm)
        asm.label("end")
        asm.clear()
        return [one.as_bits() for one in asm.program]

    def copy(asm: Assembler) -> None:
        cell, target = asm.cells.variable(), asm.cells.variable()
        asm.copy(cell if isinstance(source, str) else source, target, do=do, go=go)

    def load_and_keep(asm: Assembler) -> None:
        cell, target = asm.cells.variable(), asm.cells.variable()
        asm.load(cell if isinstance(source, str) else source, do=do)
        if go:
            asm.keep(store=target, go=go)
        else:
            asm.keep(store=target)

    assert program(copy) == program(load_and_keep)


def test_routines_can_use_the_same_label() -> None:
    asm = assembler()
    for name in ("one", "other"):
        with asm.routine(name):
            asm.label("next")
            asm.clear(go="next")
    assert targets(asm) == [0, 1]


def test_a_block_sees_the_labels_around_it_before_and_behind() -> None:
    asm = assembler()
    with asm.routine("around"):
        asm.label("before")
        with asm.block("inside"):
            asm.clear(go="before")
            asm.clear(go="behind")
        asm.label("behind")
        asm.clear(go="around")
    assert targets(asm) == [0, 2, 0]


def test_the_nearest_label_of_a_name_is_meant() -> None:
    asm = assembler()
    with asm.routine("around"):
        asm.label("next")
        asm.clear()
        with asm.block("inside"):
            asm.label("next")
            asm.clear(go="next")
        asm.clear(go="next")
    assert targets(asm) == [1, 0]


def test_an_entry_is_known_everywhere_and_as_a_constant() -> None:
    asm = assembler()
    asm.clear(go="inner")
    asm.load(asm.cells.constant("inner"), do=Action.SET_LINK)
    with asm.routine("outer"), asm.block("block"):
        asm.clear()
        asm.entry("inner")
        asm.clear(go="outer")
    assert targets(asm) == [3, 2]
    assert asm.position("inner") == asm.memory[-1] == 3


def test_a_label_of_another_routine_is_not_in_scope() -> None:
    asm = assembler()
    with asm.routine("one"):
        asm.label("hidden")
        asm.clear()
    with asm.routine("other"):
        asm.clear(go="hidden")
    with pytest.raises(ValueError, match=r"^other refers to 'hidden', but no label in scope has"):
        asm.program  # noqa: B018


def test_a_constant_of_an_unknown_entry_is_refused() -> None:
    asm = assembler()
    asm.cells.constant("nowhere")
    with pytest.raises(ValueError, match=r"^the program refers to 'nowhere', but no label"):
        asm.memory  # noqa: B018


def test_two_labels_of_a_name_in_a_scope_are_refused() -> None:
    asm = assembler()
    with asm.routine("twins"):
        asm.label("twin")
        with pytest.raises(ValueError, match=r"^twins has two labels 'twin'; rename one$"):
            asm.label("twin")
        with pytest.raises(ValueError, match=r"^the program has two labels 'twins'; rename one$"):
            asm.entry("twins")


def test_a_label_that_hides_an_entry_is_refused() -> None:
    """Otherwise a sequence that calls the entry would go to the label of whatever contains it."""
    asm = assembler()
    with asm.routine("around"):
        asm.label("count")
        asm.call("count")
    with asm.routine("count"):
        asm.go_back()
    with pytest.raises(ValueError, match=r"^around has a label 'count', as an entry has; rename"):
        asm.program  # noqa: B018


def test_what_an_instruction_cannot_be_is_refused() -> None:
    asm = assembler()
    one, two = asm.cells.variable(), asm.cells.variable()
    with pytest.raises(ValueError, match="one address"):
        asm.load(one, store=two)
    with pytest.raises(ValueError, match="either store or SET_X"):
        asm.load(one, store=one, do=Action.SET_X)

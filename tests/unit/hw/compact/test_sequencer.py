# SPDX-License-Identifier: BSD-2-Clause

"""Instructions, one by one and as a program (compact/sequencer.py)."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.benches import EXTREMES, simulate
from support.effort import examples

from dualgate_hw.compact.assembler import Assembler
from dualgate_hw.compact.instructions import Action, AluOp, Cell, Condition
from dualgate_hw.compact.sequencer import Sequencer

FIELD = Cell(1)

NUMBERS = st.one_of(st.sampled_from(EXTREMES), st.integers(-32768, 32767))


def run(write: Callable[[Assembler], None], **sources: int) -> list[int]:
    """Results of a program's REPLY actions; it ends with the first WAIT."""
    asm = Assembler(2, 2)
    write(asm)
    asm.keep(do=Action.WAIT)
    sequencer = Sequencer(asm)
    replies: list[int] = []

    async def bench(ctx: Any) -> None:
        for name, value in sources.items():
            ctx.set(sequencer.sources[name], value)
        ctx.set(sequencer.held, 0)
        while not ctx.get(sequencer.does[Action.WAIT.value]):
            if ctx.get(sequencer.does[Action.REPLY.value]):
                replies.append(ctx.get(sequencer.result))
            await ctx.tick()

    simulate(sequencer, bench)
    return replies


def low(number: int) -> int:
    """The accumulator after a number was loaded."""
    return (number + (1 << 15)) % (1 << 16) - (1 << 15)


@examples(10)
@given(pairs=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=8))
def test_each_operation_gives_17_bits_of_its_result(pairs: list[tuple[int, int]]) -> None:
    def write(asm: Assembler) -> None:
        for a, b in pairs:
            word = asm.cells.constant(b)
            for operation in (asm.add, asm.subtract, asm.subtract_from, asm.mask):
                asm.load(a)
                operation(b, do=Action.REPLY)
            asm.increment(word, do=Action.REPLY)
            asm.decrement(word, do=Action.REPLY)
            asm.load(b, do=Action.REPLY)
            asm.clear(do=Action.REPLY)

    expected = [r for a, b in pairs for r in (a + b, a - b, b - a, a & b, b + 1, b - 1, b, 0)]
    assert run(write) == expected


@examples(10)
@given(pairs=st.lists(st.tuples(*[st.integers(0, (1 << 32) - 1)] * 2), min_size=8))
def test_carry_and_borrow_join_two_words(pairs: list[tuple[int, int]]) -> None:
    """Loads between the halves leave the carry alone."""

    def write(asm: Assembler) -> None:
        for a, b in pairs:
            for first, second in (
                (asm.add, asm.add_carry),
                (asm.subtract, asm.subtract_borrow),
            ):
                asm.load(a & 0xFFFF)
                first(b & 0xFFFF, do=Action.REPLY)
                asm.load(a >> 16)
                second(b >> 16, do=Action.REPLY)

    found = [number & 0xFFFF for number in run(write)]
    joined = [lower | upper << 16 for lower, upper in zip(found[::2], found[1::2], strict=True)]
    assert joined == [r % (1 << 32) for a, b in pairs for r in (a + b, a - b)]


@examples(10)
@given(pairs=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=6))
def test_conditions_are_those_of_the_instruction_before(pairs: list[tuple[int, int]]) -> None:
    conditions = {
        Condition.ZERO: lambda a, b: low(a - b) == 0,
        Condition.NOT_ZERO: lambda a, b: low(a - b) != 0,
        Condition.NEGATIVE: lambda a, b: a < b,
        Condition.NOT_NEGATIVE: lambda a, b: a >= b,
        Condition.CARRY: lambda a, b: a & 0xFFFF >= b & 0xFFFF,
        Condition.ALWAYS: lambda a, b: True,
        Condition.NEVER: lambda a, b: False,
    }

    def write(asm: Assembler) -> None:
        for a, b in pairs:
            for condition in conditions:
                with asm.block(f"{a} - {b}, {condition.name}"):
                    asm.load(a)
                    asm.subtract(b)
                    asm.load(1, go="reply", when=condition)
                    asm.load(0)
                    asm.label("reply")
                    asm.keep(do=Action.REPLY)

    expected = [int(holds(a, b)) for a, b in pairs for holds in conditions.values()]
    assert run(write) == expected


def test_sources_are_loaded_as_they_are() -> None:
    ops = [op for op in AluOp if op.value >= AluOp.NARROW.value]
    values = {op.name: (-1) ** n * (1000 + n) for n, op in enumerate(ops)}

    def write(asm: Assembler) -> None:
        for op in ops:
            asm.load(op, do=Action.REPLY)

    assert run(write, **values) == list(values.values())


def test_x_is_joined_to_arrays_y_to_fields_neither_to_single_cells() -> None:
    def write(asm: Assembler) -> None:
        array = asm.cells.array([10, 11, 12, 13])
        single = asm.cells.variable()
        for number in range(4):
            asm.load(number, do=Action.SET_X)
            asm.load(array, do=Action.REPLY)
        asm.load(2, do=Action.SET_Y)
        asm.load(77)
        asm.keep(store=FIELD)
        asm.load(0, do=Action.SET_Y)
        asm.load(5)
        asm.keep(store=FIELD)
        asm.keep(store=single)
        asm.load(3, do=Action.SET_X)
        asm.load(single, do=Action.REPLY)
        asm.load(FIELD, do=Action.REPLY)
        asm.load(2, do=Action.SET_Y)
        asm.load(FIELD, do=Action.REPLY)

    assert run(write) == [10, 11, 12, 13, 5, 5, 77]


def test_a_call_returns_behind_itself_and_a_link_goes_where_it_is_set() -> None:
    def write(asm: Assembler) -> None:
        asm.load(1)
        asm.call("twice")
        asm.keep(do=Action.REPLY)
        asm.call("twice")
        asm.keep(do=Action.REPLY)
        asm.load(asm.cells.constant("end"), do=Action.SET_LINK)
        asm.go_back()
        asm.label("twice")
        asm.add(1)
        asm.go_back()
        asm.label("end")
        asm.load(9, do=Action.REPLY)

    assert run(write) == [2, 3, 9]


def test_an_instruction_takes_two_cycles_and_those_in_which_it_waits() -> None:
    asm = Assembler(2, 2)
    for _ in range(3):
        asm.clear(do=Action.TAKE)
    asm.keep(do=Action.WAIT)
    sequencer = Sequencer(asm)
    seen: list[int] = []

    async def bench(ctx: Any) -> None:
        for cycle in range(20):
            # The second one waits for five cycles, the one behind the third for good.
            ctx.set(sequencer.held, 4 <= cycle < 9 or cycle > 11)
            await ctx.delay(0)
            if ctx.get(sequencer.does[Action.TAKE.value]) and not ctx.get(sequencer.held):
                seen.append(cycle)
            await ctx.tick()

    simulate(sequencer, bench)
    assert seen == [2, 9, 11]

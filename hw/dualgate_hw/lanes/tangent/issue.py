# SPDX-License-Identifier: BSD-2-Clause

"""Issues the kept entries of a vector as steps, one a cycle; no cycle is lost to a zero."""

from amaranth import Module, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.onehot import isolate_lowest, more_than_one, onehot_index, onehot_mux
from ...common.shapes import INDEX, VALUE, vector


def flag_fields(flags: Value) -> dict[str, Value]:
    """Fields of a `issue_job`: its flags, and what the issuer has to know of them at once."""
    return {
        "flags": flags,
        "some": flags.any(),
        "lowest": isolate_lowest(flags),
        "single": ~more_than_one(flags),
    }


def issue_job(neurons: int, lanes: int, meta: data.StructLayout) -> data.StructLayout:
    """A job of `NonzeroIssuer`.

    Fields
    ------
    scalars : N entries for each lane
    flags : which of the N are wanted; give it by `flagged`
    some : there is one at least
    lowest : the lowest of them alone
    single : there is one at most
    row : row that belongs to entry 0
    end : whether a sum ends with this word
    meta : handed through
    """
    return data.StructLayout(
        {
            "scalars": data.ArrayLayout(vector(neurons), lanes),
            "flags": unsigned(neurons),
            "some": unsigned(1),
            "lowest": unsigned(neurons),
            "single": unsigned(1),
            "row": INDEX,
            "end": unsigned(1),
            "meta": meta,
        }
    )


def issue_step(lanes: int, meta: data.StructLayout) -> data.StructLayout:
    """A step of `NonzeroIssuer`.

    Fields
    ------
    some : whether there is a product to make (a word without entries only ends its sum)
    row, scalar : the product; a scalar for each lane
    end : the sum is complete after this step
    """
    return data.StructLayout(
        {
            "some": unsigned(1),
            "row": INDEX,
            "scalar": data.ArrayLayout(VALUE, lanes),
            "end": unsigned(1),
            "meta": meta,
        }
    )


class NonzeroIssuer(wiring.Component):
    """Picks the flagged entries of words, one a cycle, lowest first, word after word without a gap.

    A word costs as many cycles as it has flags, and at least one.

    Parameters
    ----------
    neurons, lanes : int
    meta : StructLayout

    Members
    -------
    word : stream in
    step : stream out, a cycle later
    """

    def __init__(self, neurons: int, lanes: int, meta: data.StructLayout) -> None:
        self.neurons = neurons
        self.lanes = lanes
        self.meta = meta
        super().__init__(
            {
                "word": In(stream.Signature(issue_job(neurons, lanes, meta))),
                "step": Out(stream.Signature(issue_step(lanes, meta))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Signal(issue_job(self.neurons, self.lanes, self.meta))
        held = Signal()
        rest = Signal(self.neurons)
        entry = Signal(range(self.neurons))
        payload = self.step.payload
        m.d.comb += [
            rest.eq(word.flags & ~word.lowest),
            self.word.ready.eq(~held | (self.step.ready & word.single)),
            self.step.valid.eq(held),
            payload.some.eq(word.some),
            payload.end.eq(word.end & word.single),
            payload.meta.eq(word.meta),
            payload.row.eq(word.row + entry),
        ]
        m.d.comb += entry.eq(onehot_index(word.lowest))
        for scalar, scalars in zip(payload.scalar, word.scalars, strict=True):
            m.d.comb += scalar.eq(onehot_mux(word.lowest, scalars))
        with m.If(self.step.ready):
            m.d.sync += [word[field].eq(value) for field, value in flag_fields(rest).items()]
        with m.If(self.word.ready):
            m.d.sync += [
                word.eq(self.word.payload),
                held.eq(self.word.valid),
            ]
        return m

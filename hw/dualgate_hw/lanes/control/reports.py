# SPDX-License-Identifier: BSD-2-Clause

"""Execution of the commands that report the engine's identity and its counters."""

from amaranth import Array, Const, Module, Mux, Signal
from amaranth.hdl import Value

from dualgate.contract.commands import COUNTERS, IDENTITY_FIELDS, MAGIC, PROTOCOL
from dualgate.contract.engine import EngineParameters

from ...common.counters import SETTLES
from ...common.shapes import INDEX
from .conversation import Conversation


def identity_states(m: Module, talk: Conversation, engine: EngineParameters) -> None:
    """Add the states from ``IDENTITY_HEADER`` on; they respond, and end in ``HEADER``."""
    fields = {"magic": MAGIC, "protocol": PROTOCOL, **vars(engine)}
    identity = Array(Const(fields[name], 32) for name in IDENTITY_FIELDS)
    position = talk.position
    with m.State("IDENTITY_HEADER"):
        talk.respond_header(m, Const(len(IDENTITY_FIELDS), INDEX))
        with m.If(talk.response.ready):
            m.next = "IDENTITY"
    with m.State("IDENTITY"):
        talk.respond(m, identity[position])
        with m.If(talk.response.ready):
            m.d.sync += position.eq(position + 1)
            with m.If(position == len(IDENTITY_FIELDS) - 1):
                m.next = "HEADER"


def counter_states(m: Module, talk: Conversation, counter: Value) -> None:
    """Add the states from ``COUNTERS_HEADER`` on; they respond, and end in ``HEADER``.

    Parameters
    ----------
    m : Module
        Module in whose finite state machine the states are.
    talk : Conversation
        The command in progress; its `position` is the index of the counter to read.
    counter : Value
        That counter, `SETTLES` cycles later.
    """
    position = talk.position
    high = Signal()
    settled = Signal(range(SETTLES + 1))
    with m.State("COUNTERS_HEADER"):
        talk.respond_header(m, Const(2 * len(COUNTERS), INDEX))
        m.d.sync += [high.eq(0), settled.eq(0)]
        with m.If(talk.response.ready):
            m.next = "COUNTERS_WAIT"
    with m.State("COUNTERS_WAIT"):
        m.d.sync += settled.eq(settled + 1)
        with m.If(settled == SETTLES):
            m.d.sync += settled.eq(0)
            m.next = "COUNTERS"
    with m.State("COUNTERS"):
        talk.respond(m, Mux(high, counter[32:], counter[:32]))
        with m.If(talk.response.ready):
            m.d.sync += high.eq(~high)
            with m.If(high):
                m.d.sync += position.eq(position + 1)
                m.next = "COUNTERS_WAIT"
                with m.If(position == len(COUNTERS) - 1):
                    m.next = "HEADER"

# SPDX-License-Identifier: BSD-2-Clause

"""Execution of the commands that write and read rows of weights and velocities."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.utils import exact_log2

from dualgate.contract.commands import Op

from ...common.shapes import INDEX, VELOCITY, WORD
from .conversation import Conversation


class RowCommands:
    """States of the decoder that move rows, one number after the other.

    A velocity is two words of a command or response, a weight one.

    Parameters
    ----------
    neurons : int
        N, the number of lanes of a row.
    talk : Conversation
        The command in progress.
    port : interface of RowAccessPort
        Access to the numbers.
    """

    def __init__(self, neurons: int, talk: Conversation, port: wiring.PureInterface) -> None:
        self._neurons = neurons
        self._talk = talk
        self._port = port
        self._number = Signal(VELOCITY)
        self._row = Signal(INDEX)
        self._rows = Signal(INDEX)
        self._lane = Signal(range(neurons))

    def connect(self, m: Module) -> None:
        """Connect the registers to the port."""
        m.d.comb += [
            self._port.row.eq(self._row),
            self._port.lane.eq(self._lane),
            self._port.wide.eq(self._wide()),
            self._port.new_number.eq(self._number),
        ]

    def write_states(self, m: Module) -> None:
        """Add the states from ``WRITE_ROW`` on; they end in ``RESPOND``."""
        talk = self._talk
        word = talk.command.payload
        with m.State("WRITE_ROW"), m.If(talk.take(m)):
            m.d.sync += [self._row.eq(word), self._lane.eq(0)]
            m.next = "WRITE_LOW"
        with m.State("WRITE_LOW"):
            with m.If(talk.ended):
                m.next = "RESPOND"
            with m.Else(), m.If(talk.take(m)):
                m.d.sync += self._number.eq(word)
                m.next = "WRITE_NUMBER"
                with m.If(self._wide()):
                    m.next = "WRITE_HIGH"
        with m.State("WRITE_HIGH"), m.If(talk.take(m)):
            m.d.sync += self._number[WORD.width :].eq(word)
            m.next = "WRITE_NUMBER"
        with m.State("WRITE_NUMBER"):
            m.d.comb += self._port.write.eq(1)
            with m.If(self._port.done):
                self._go_on(m)
                m.next = "WRITE_LOW"

    def read_states(self, m: Module) -> None:
        """Add the states from ``READ_ROW`` on; they respond, and end in ``HEADER``."""
        talk = self._talk
        with m.State("READ_ROW"), m.If(talk.take(m)):
            m.d.sync += [self._row.eq(talk.command.payload), self._lane.eq(0)]
            m.next = "READ_ROWS"
        with m.State("READ_ROWS"), m.If(talk.take(m)):
            m.d.sync += self._rows.eq(talk.command.payload)
            m.next = "READ_HEADER"
        with m.State("READ_HEADER"):
            words = Signal(INDEX)
            # Shifts, because a product would take a multiplier that the lanes may need.
            narrow = self._rows << exact_log2(self._neurons)
            m.d.comb += words.eq(Mux(self._wide(), narrow << 1, narrow))
            talk.respond_header(m, words)
            with m.If(talk.response.ready):
                m.next = "READ_NUMBER"
                with m.If(self._rows == 0):
                    m.next = "HEADER"
        with m.State("READ_NUMBER"):
            m.d.comb += self._port.read.eq(1)
            with m.If(self._port.done):
                m.d.sync += self._number.eq(self._port.number)
                m.next = "READ_LOW"
        with m.State("READ_LOW"):
            talk.respond(m, self._number[: WORD.width])
            with m.If(talk.response.ready):
                with m.If(self._wide()):
                    m.next = "READ_HIGH"
                with m.Else():
                    self._read_on(m)
        with m.State("READ_HIGH"):
            talk.respond(m, self._number >> WORD.width)
            with m.If(talk.response.ready):
                self._read_on(m)

    def _wide(self) -> Value:
        """Return whether the command is about velocities."""
        return (self._talk.op == Op.WRITE_VELOCITY) | (self._talk.op == Op.READ_VELOCITY)

    def _go_on(self, m: Module) -> Value:
        """Go on to the next number; returns whether this one was the last of its row."""
        last = self._lane == self._neurons - 1
        m.d.sync += self._lane.eq(Mux(last, 0, self._lane + 1))
        with m.If(last):
            m.d.sync += [self._row.eq(self._row + 1), self._rows.eq(self._rows - 1)]
        return last

    def _read_on(self, m: Module) -> None:
        """Go on to the next number, or to the next command after the last row."""
        m.next = "READ_NUMBER"
        with m.If(self._go_on(m) & (self._rows == 1)):
            m.next = "HEADER"

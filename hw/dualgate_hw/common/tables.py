# SPDX-License-Identifier: BSD-2-Clause

"""The tables of sigmoid and exponential.

Cores share them, because the block RAM of a table has two ports.
"""

from amaranth import Cat, Module, Signal, unsigned
from amaranth.hdl import Shape
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.activations import EXP_TABLE, SIGMOID_TABLE, TABLE_BITS

SIGMOID_SHAPE = unsigned(15)
EXP_SHAPE = unsigned(16)


class TablePort(wiring.Signature):
    """Read port of a table, which a reader may share with others and then has to request.

    Parameters
    ----------
    shape : Shape
        Shape of a number of the table.

    Members
    -------
    `wanted` : Out(1)
        Requests the table; stays high until everything is read.
    `granted` : In(1)
        The reader may read. Once high, it stays high at least until `wanted` falls.
    `addr` : Out(TABLE_BITS)
        Address to read, while `granted`.
    `data` : In(shape)
        Number at that address, a cycle later.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__(
            {
                "wanted": Out(1),
                "granted": In(1),
                "addr": Out(TABLE_BITS),
                "data": In(shape),
            }
        )


def own_table(m: Module, port: wiring.PureInterface, entries: tuple[int, ...]) -> None:
    """Build a table for a single reader, which may always read.

    Parameters
    ----------
    m : Module
        Module that gets the table.
    port : interface of TablePort
        Port of the reader.
    entries : tuple of int
        Numbers of the table.
    """
    m.submodules.table = table = memory.Memory(
        shape=port.data.shape(), depth=1 << TABLE_BITS, init=entries
    )
    read = table.read_port()
    m.d.comb += [read.addr.eq(port.addr), port.data.eq(read.data), port.granted.eq(1)]


class Tables(wiring.Component):
    """A table of sigmoids for every two cores, and one table of exponentials for all.

    A core reads a sigmoid for every unit, and therefore has a port to itself. It reads only a few
    exponentials per sample: half of the cores share either port of that table and wait for each
    other.

    Parameters
    ----------
    cores : int
        Number of cores.

    Members
    -------
    `sigmoid` : In(TablePort(SIGMOID_SHAPE)).array(cores)
        Port of each core to a table of sigmoids.
    `exp` : In(TablePort(EXP_SHAPE)).array(cores)
        Port of each core to the table of exponentials.
    """

    def __init__(self, cores: int) -> None:
        self.cores = cores
        super().__init__(
            {
                "sigmoid": In(TablePort(SIGMOID_SHAPE)).array(cores),
                "exp": In(TablePort(EXP_SHAPE)).array(cores),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for first in range(0, self.cores, 2):
            ports = [[port] for port in self.sigmoid[first : first + 2]]
            self._table(m, f"sigmoid_{first}", SIGMOID_TABLE, ports)
        self._table(m, "exp", EXP_TABLE, [list(self.exp[port::2]) for port in range(2)])
        return m

    def _table(
        self,
        m: Module,
        name: str,
        entries: tuple[int, ...],
        shares: list[list[wiring.PureInterface]],
    ) -> None:
        """Build a table with one read port for each list of `shares`, whose ports share it.

        A read port stays with its owner while the owner wants it.
        """
        shape = shares[0][0].data.shape()
        m.submodules[name] = table = memory.Memory(shape=shape, depth=1 << TABLE_BITS, init=entries)
        for number, ports in enumerate(shares):
            read = table.read_port()
            owner = Signal(range(len(ports)), name=f"{name}_owner_{number}")
            wanted = Cat(port.wanted for port in ports)
            for index, port in enumerate(ports):
                m.d.comb += [port.data.eq(read.data), port.granted.eq(owner == index)]
                with m.If(owner == index):
                    m.d.comb += read.addr.eq(port.addr)
                with m.If(port.wanted & ~wanted.bit_select(owner, 1)):
                    m.d.sync += owner.eq(index)

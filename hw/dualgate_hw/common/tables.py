# SPDX-License-Identifier: BSD-2-Clause

"""The tables of sigmoid and exponential, which cores share: a block RAM has two ports."""

from amaranth import Cat, Module, Signal, unsigned
from amaranth.hdl import Shape
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.activations import EXP_TABLE, SIGMOID_TABLE, TABLE_BITS

SIGMOID_SHAPE = unsigned(15)
EXP_SHAPE = unsigned(16)


class TablePort(wiring.Signature):
    """Read port of a table; who has no port to himself asks for it.

    Members
    -------
    wanted : until everything is read
    granted : it may be read now, until it is not `wanted` any more
    addr, data : an entry, a cycle of latency
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
    """A table with a single reader."""
    m.submodules.table = table = memory.Memory(
        shape=port.data.shape(), depth=1 << TABLE_BITS, init=entries
    )
    read = table.read_port()
    m.d.comb += [read.addr.eq(port.addr), port.data.eq(read.data), port.granted.eq(1)]


class Tables(wiring.Component):
    """Sigmoid for two cores a table, and a single table of exponentials.

    Sigmoids are wanted for every unit; of exponentials a core wants a few for each sample, and
    cores that share a port wait for each other.

    Parameters
    ----------
    cores : int

    Members
    -------
    sigmoid, exp : a port for each core
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
        """A table, a read port for each of some ports that share it."""
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

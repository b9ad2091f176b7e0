# SPDX-License-Identifier: BSD-2-Clause

"""The MAC array: lanes of N multipliers side by side, shared by any number of clients.

Every operation of the engine is one row: N products a cycle and lane. A client multiplies a scalar
for each lane with one row of the weight memory (values, tangents), or vectors of its own (updates,
slopes, momentum). The array decides nothing else: accumulators and what becomes of a product belong
to the client, so lanes are the same whether each has an array or all take turns on one.
"""

from amaranth import Module, Mux, Signal
from amaranth.hdl import ValueLike
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .shapes import INDEX, PRODUCT, VALUE, vector

MAC_LATENCY = 3
"""Cycles from a request that was taken to its product."""


class WeightClient(wiring.Signature):
    """A port that multiplies scalars with a weight row.

    Parameters
    ----------
    lanes : int

    Members
    -------
    valid, ready : request handshake; a request is taken in a cycle where both are high
    row : row of the weight memory
    scalar : one for each lane, multiplied with each of the row's N weights
    done : high `MAC_LATENCY` cycles after a request was taken, when `MacArray.product` is its own
    """

    def __init__(self, lanes: int = 1) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "ready": In(1),
                "row": Out(INDEX),
                "scalar": Out(data.ArrayLayout(VALUE, lanes)),
                "done": In(1),
            }
        )


class VectorClient(wiring.Signature):
    """A port that multiplies vectors, entry by entry.

    Parameters
    ----------
    neurons, lanes : int

    Members
    -------
    valid, ready, done : as in `WeightClient`
    left : N entries for each lane
    right : N entries, for all lanes
    """

    def __init__(self, neurons: int, lanes: int = 1) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "ready": In(1),
                "left": Out(data.ArrayLayout(vector(neurons), lanes)),
                "right": Out(vector(neurons)),
                "done": In(1),
            }
        )


def attach(m: Module, client: wiring.PureInterface, port: wiring.PureInterface) -> None:
    """Connect a client to a port of an array that may have more lanes or neurons.

    Those multiply zeros.
    """
    m.d.comb += [
        port.valid.eq(client.valid),
        client.ready.eq(port.ready),
        client.done.eq(port.done),
    ]
    if hasattr(client, "row"):
        m.d.comb += port.row.eq(client.row)
        pairs = [(port.scalar, client.scalar)]
    else:
        pairs = [(port.right, client.right), *zip(port.left, client.left, strict=False)]
    for theirs, own in pairs:
        m.d.comb += [operand.eq(value) for operand, value in zip(theirs, own, strict=False)]


class MacArray(wiring.Component):
    """Lanes of N pipelined multipliers behind a fixed-priority arbiter.

    ::

        clients -> arbiter -+-> weight memory -+-> operands -> products
                            +---- vectors -----+
        cycle      0                   1             2           3

    Parameters
    ----------
    neurons : int
        N.
    lanes : int
        The array takes N multipliers of 16 x 16 bits for each.
    vectors, weights : int
        How many clients of each kind; vector clients come first in priority.
    alone : int
        The first so many clients ask only while no other does, so that no other looks at them.

    Members
    -------
    vector_clients, weight_clients : the clients' ports
    row, weight_row : address to the weight memory, and the row it returns a cycle later
    product : N products a lane, valid for the client whose `done` is high
    """

    def __init__(
        self, neurons: int, lanes: int, vectors: int, weights: int, alone: int = 0
    ) -> None:
        self.alone = alone
        self.neurons = neurons
        self.lanes = lanes
        self.vectors = vectors
        self.weights = weights
        super().__init__(
            {
                "vector_clients": In(VectorClient(neurons, lanes)).array(vectors),
                "weight_clients": In(WeightClient(lanes)).array(weights),
                "row": Out(INDEX),
                "weight_row": In(vector(neurons)),
                "product": Out(data.ArrayLayout(vector(neurons, PRODUCT), lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clients = [*self.vector_clients, *self.weight_clients]
        taken = [
            self._arbitrate(m, client, clients[self.alone : i]) for i, client in enumerate(clients)
        ]
        left = Signal(data.ArrayLayout(vector(self.neurons), self.lanes))
        right = Signal(vector(self.neurons))
        from_memory = Signal()
        for client, take in zip(self.vector_clients, taken, strict=False):
            with m.If(take):
                m.d.sync += [left.eq(client.left), right.eq(client.right), from_memory.eq(0)]
        for client, take in zip(self.weight_clients, taken[self.vectors :], strict=True):
            with m.If(take):
                m.d.comb += self.row.eq(client.row)
                m.d.sync += from_memory.eq(1)
                for operands, scalar in zip(left, client.scalar, strict=True):
                    m.d.sync += [operand.eq(scalar) for operand in operands]
        self._multiply(m, left, right, from_memory)
        return m

    def _arbitrate(
        self, m: Module, client: wiring.PureInterface, before: list[wiring.PureInterface]
    ) -> ValueLike:
        busy = Signal()
        take = Signal()
        m.d.comb += busy.eq(0)
        for other in before:
            with m.If(other.valid):
                m.d.comb += busy.eq(1)
        m.d.comb += [
            client.ready.eq(~busy),
            take.eq(client.valid & ~busy),
        ]
        stage: ValueLike = take
        for _ in range(MAC_LATENCY):
            following = Signal()
            m.d.sync += following.eq(stage)
            stage = following
        m.d.comb += client.done.eq(stage)
        return take

    def _multiply(
        self,
        m: Module,
        left: data.View,
        right: data.View,
        from_memory: Signal,
    ) -> None:
        for neuron in range(self.neurons):
            # Who uses a product knows when it is one: reset has no say, so that the registers can
            # be those that an ECP5's multiplier has inside.
            b = Signal(VALUE, reset_less=True)
            m.d.sync += b.eq(Mux(from_memory, self.weight_row[neuron], right[neuron]))
            for lane in range(self.lanes):
                a = Signal(VALUE, reset_less=True)
                # A register for each: of one for all, yosys 0.70 takes a multiplier's part into
                # that multiplier of an iCE40 and forgets the rest.
                product = Signal(PRODUCT, reset_less=True)
                m.d.sync += [a.eq(left[lane][neuron]), product.eq(a * b)]
                m.d.comb += self.product[lane][neuron].eq(product)

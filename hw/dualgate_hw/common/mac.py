# SPDX-License-Identifier: BSD-2-Clause

"""The MAC array: lanes of N multipliers side by side, shared by any number of clients.

Every operation of the engine works on one row: N products per cycle and lane. A client multiplies
one scalar per lane by a row of the weight memory (values, tangents), or it multiplies vectors of
its own (updates, slopes, momentum). The array only multiplies: accumulators and all further use of
a product belong to the client. A client is therefore the same whether it has an array to itself or
shares one with other clients.
"""

from amaranth import Module, Mux, Signal
from amaranth.hdl import ValueLike
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .shapes import INDEX, PRODUCT, VALUE, vector

MAC_LATENCY = 3
"""Cycles from the cycle in which a request is taken to its product."""


class WeightClient(wiring.Signature):
    """A client's port for products of scalars and a weight row.

    Parameters
    ----------
    lanes : int
        Number of lanes, each with a scalar of its own.

    Members
    -------
    `valid` : Out(1)
        The client requests a product.
    `ready` : In(1)
        The arbiter takes the request. It is taken in a cycle in which both are high.
    `row` : Out(INDEX)
        Row of the weight memory.
    `scalar` : Out(ArrayLayout(VALUE, lanes))
        Scalar of each lane; it is multiplied by each of the row's N weights.
    `done` : In(1)
        High `MAC_LATENCY` cycles after a request was taken: `MacArray.product` holds the products
        of that request.
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
    """A client's port for elementwise products of vectors.

    Parameters
    ----------
    neurons : int
        N, the length of a vector.
    lanes : int
        Number of lanes.

    Members
    -------
    `valid` : Out(1)
        The client requests a product.
    `ready` : In(1)
        The arbiter takes the request. It is taken in a cycle in which both are high.
    `left` : Out(ArrayLayout(vector(neurons), lanes))
        Left operands of each lane, N numbers.
    `right` : Out(vector(neurons))
        Right operands, the same N numbers for every lane.
    `done` : In(1)
        High `MAC_LATENCY` cycles after a request was taken: `MacArray.product` holds the products
        of that request.
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
    """Connect a client to a port of an array.

    The array may have more lanes or neurons than the client; the additional multipliers multiply
    zeros.

    Parameters
    ----------
    m : Module
        Module that gets the assignments.
    client : interface of WeightClient or VectorClient
        The client's port.
    port : flipped interface of the same kind
        The array's port.
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
        Number of lanes. Each lane takes N multipliers of 16 x 16 bits.
    vectors : int
        Number of vector clients. They have priority over the weight clients.
    weights : int
        Number of weight clients. Among clients of a kind a lower index has priority.
    alone : int
        Number of leading clients that never request while another client does; the arbiter omits
        them from the other clients' busy logic.

    Members
    -------
    `vector_clients` : In(VectorClient(neurons, lanes)).array(vectors)
        Ports of the vector clients.
    `weight_clients` : In(WeightClient(lanes)).array(weights)
        Ports of the weight clients.
    `row` : Out(INDEX)
        Address to the weight memory.
    `weight_row` : In(vector(neurons))
        Row at that address, a cycle later.
    `product` : Out(ArrayLayout(vector(neurons, PRODUCT), lanes))
        N products per lane; they belong to the client whose `done` is high.
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
        """Build a client's handshake; returns whether its request is taken.

        The clients in `before` have priority over it.
        """
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
        """Build the operand registers and the multipliers."""
        for neuron in range(self.neurons):
            # `done` tells when a product is valid, so that the operands and the product need no
            # reset. Registers without one fit into the multiplier of an ECP5.
            b = Signal(VALUE, reset_less=True)
            m.d.sync += b.eq(Mux(from_memory, self.weight_row[neuron], right[neuron]))
            for lane in range(self.lanes):
                a = Signal(VALUE, reset_less=True)
                # One register per multiplier: from a register that all multipliers share, yosys
                # 0.70 moves one multiplier's part into a multiplier of an iCE40 and loses the rest.
                product = Signal(PRODUCT, reset_less=True)
                m.d.sync += [a.eq(left[lane][neuron]), product.eq(a * b)]
                m.d.comb += self.product[lane][neuron].eq(product)

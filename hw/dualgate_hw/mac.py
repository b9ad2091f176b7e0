"""The MAC array: N multipliers side by side, shared by any number of clients.

Every operation of the engine is one row: N products a cycle. A client either multiplies a scalar
with a row of the weight memory (values, tangents) or two vectors of its own (updates, slopes,
momentum). The array decides nothing else: accumulators and what becomes of a product belong to
the client, so lanes are the same whether each has an array or all take turns on one.
"""

from amaranth import Module, Mux, Signal
from amaranth.hdl import ValueLike
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .layouts import INDEX, PRODUCT, VALUE, vector

MAC_LATENCY = 3
"""Cycles from a request that was taken to its product."""


class WeightClient(wiring.Signature):
    """A port that multiplies one scalar with a weight row.

    Members
    -------
    valid, ready : request handshake; a request is taken in a cycle where both are high
    row : row of the weight memory
    scalar : multiplied with each of its N weights
    done : high `MAC_LATENCY` cycles after a request was taken, when `MacArray.product` is its own
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "ready": In(1),
                "row": Out(INDEX),
                "scalar": Out(VALUE),
                "done": In(1),
            }
        )


class VectorClient(wiring.Signature):
    """A port that multiplies two vectors, entry by entry.

    Members
    -------
    valid, ready, done : as in `WeightClient`
    left, right : N entries each
    """

    def __init__(self, neurons: int) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "ready": In(1),
                "left": Out(vector(neurons)),
                "right": Out(vector(neurons)),
                "done": In(1),
            }
        )


class MacArray(wiring.Component):
    """N pipelined multipliers behind a fixed-priority arbiter.

    ::

        clients -> arbiter -+-> weight memory -+-> operands -> products
                            +---- vectors -----+
        cycle      0                   1             2           3

    Parameters
    ----------
    neurons : int
        N; the array takes N multipliers of 16 x 16 bits.
    vectors, weights : int
        How many clients of each kind; vector clients come first in priority.

    Members
    -------
    vector_clients, weight_clients : the clients' ports
    row, weight_row : address to the weight memory, and the row it returns a cycle later
    product : N products, valid for the client whose `done` is high
    """

    def __init__(self, neurons: int, vectors: int, weights: int) -> None:
        self.neurons = neurons
        self.vectors = vectors
        self.weights = weights
        super().__init__(
            {
                "vector_clients": In(VectorClient(neurons)).array(vectors),
                "weight_clients": In(WeightClient()).array(weights),
                "row": Out(INDEX),
                "weight_row": In(vector(neurons)),
                "product": Out(vector(neurons, PRODUCT)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clients = [*self.vector_clients, *self.weight_clients]
        taken = [self._arbitrate(m, client, clients[:i]) for i, client in enumerate(clients)]
        left = Signal(vector(self.neurons))
        right = Signal(vector(self.neurons))
        from_memory = Signal()
        for client, take in zip(self.vector_clients, taken, strict=False):
            with m.If(take):
                m.d.sync += [left.eq(client.left), right.eq(client.right), from_memory.eq(0)]
        for client, take in zip(self.weight_clients, taken[self.vectors :], strict=True):
            with m.If(take):
                m.d.comb += self.row.eq(client.row)
                m.d.sync += [entry.eq(client.scalar) for entry in left]
                m.d.sync += from_memory.eq(1)
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
        for lane in range(self.neurons):
            a = Signal(VALUE)
            b = Signal(VALUE)
            m.d.sync += [
                a.eq(left[lane]),
                b.eq(Mux(from_memory, self.weight_row[lane], right[lane])),
                self.product[lane].eq(a * b),
            ]

# SPDX-License-Identifier: BSD-2-Clause

"""The MAC arrays of a core and their clients."""

from dataclasses import dataclass

from amaranth import Module
from amaranth.hdl import Value, ValueLike
from amaranth.lib import wiring

from ..common.mac import MacArray, attach
from ..common.shapes import Shapes


@dataclass(frozen=True)
class Client:
    """A client of a MAC array.

    Parameters
    ----------
    port : interface of WeightClient or VectorClient
        Requests of the client.
    product : ValueLike
        Signal of the client that gets the array's products; a client of one lane gets those of the
        first lane.
    """

    port: wiring.PureInterface
    product: ValueLike


class CoreArrays:
    """One MAC array for each kind of lane, or one for all kinds.

    Vector clients have priority over weight clients, and later lanes over earlier ones, because a
    sample that is nearly complete frees its context soonest. The clients for the end of a batch
    come first. They request only while no lane works, so the arbiters do not consider them.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine, whose `arrays` is 1 or 3.
    ends : list of Client
        Clients for the end of a batch, one for each array.
    step, scale : Client
        The update lane's and the scaler's, which multiply vectors.
    sums, values : Client
        The tangent lanes' and the value lane's, which multiply rows of weights.

    Attributes
    ----------
    readers : list of MacArray
        Arrays that read weights.
    """

    def __init__(
        self,
        shapes: Shapes,
        ends: list[Client],
        *,
        step: Client,
        scale: Client,
        sums: Client,
        values: Client,
    ) -> None:
        lanes = shapes.lanes
        if shapes.engine.arrays == 1:
            clients = {"shared": (lanes, [ends[0], step, scale], [sums, values])}
        else:
            clients = {
                "value": (1, [ends[0]], [values]),
                "tangent": (lanes, [ends[1], scale], [sums]),
                "update": (1, [ends[2], step], []),
            }
        self._arrays: dict[str, tuple[MacArray, list[Client]]] = {}
        self.readers: list[MacArray] = []
        for name, (wide, vectors, weights) in clients.items():
            array = MacArray(shapes.neurons, wide, len(vectors), len(weights), alone=1)
            self._arrays[name] = (array, [*vectors, *weights])
            if weights:
                self.readers.append(array)

    def connect(self, m: Module) -> None:
        """Make the arrays submodules of a module and connect their clients."""
        for name, (array, clients) in self._arrays.items():
            m.submodules[f"{name}_mac"] = array
            ports = (*array.vector_clients, *array.weight_clients)
            for port, client in zip(ports, clients, strict=True):
                attach(m, client.port, port)
                m.d.comb += Value.cast(client.product).eq(Value.cast(array.product))

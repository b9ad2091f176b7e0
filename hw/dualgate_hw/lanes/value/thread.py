# SPDX-License-Identifier: BSD-2-Clause

"""A thread of the value lane: it takes one sample at a time through the layers."""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.shapes import LAYER, Shapes
from ..memory.list_reader import list_job


def loaded(shapes: Shapes) -> data.StructLayout:
    """A sample whose list of inputs is loaded.

    Fields
    ------
    token
        The sample's token.
    first
        Place of the list's first pair of entries in the ring of inputs.
    count
        Number of entries of the list.
    masked
        Whether the sample has masks.
    """
    return data.StructLayout(
        {"token": shapes.token, "first": shapes.place, "count": shapes.unit, "masked": 1}
    )


def group_note(shapes: Shapes) -> data.StructLayout:
    """A note that travels with a step: its thread, and its group of neurons."""
    return data.StructLayout({"thread": range(shapes.threads), "group": shapes.group})


class ValueThread(wiring.Component):
    """Requests the steps of each group of a layer, then waits for the layer's activations.

    A layer takes 2 cycles for its descriptor, once the port is granted, then one cycle for each
    group whose job is taken, then the wait for `done`.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.
    thread : int
        Number of the thread.

    Members
    -------
    `sample` : In(stream of loaded(shapes))
        Samples to compute; taken while the thread has none.
    `token` : Out(stream of shapes.token)
        The same samples, once their outputs are written.
    `fetch` : Out(1)
        Request for the descriptor `index`; held until `fetch_ready`.
    `fetch_ready` : In(1)
        Whether the request is granted; `layer` is then valid in the next cycle.
    `index` : Out(range(layers))
        Index of the layer in progress.
    `layer` : In(LAYER)
        The wanted descriptor.
    `count` : Out(shapes.unit)
        Number of entries of the list that the layer in progress reads.
    `job` : Out(stream of list_job)
        A job for each group of the layer in progress, for the list reader.
    `current` : Out(LAYER)
        Descriptor of the layer in progress.
    `first_layer` : Out(1)
        Whether it is the first layer.
    `context` : Out(shapes.context)
        Context of the sample.
    `masked` : Out(1)
        Whether the sample has masks.
    `done` : In(1)
        Pulse: the last unit of the layer is written.
    `done_count` : In(shapes.unit)
        Number of entries of the list that the layer made, with `done`.
    """

    def __init__(self, shapes: Shapes, thread: int) -> None:
        self.shapes = shapes
        self.thread = thread
        super().__init__(
            {
                "sample": In(stream.Signature(loaded(shapes))),
                "token": Out(stream.Signature(shapes.token)),
                "fetch": Out(1),
                "fetch_ready": In(1),
                "index": Out(range(shapes.engine.layers)),
                "layer": In(LAYER),
                "count": Out(shapes.unit),
                "job": Out(stream.Signature(list_job(shapes, group_note(shapes)))),
                "current": Out(LAYER),
                "first_layer": Out(1),
                "context": Out(shapes.context),
                "masked": Out(1),
                "done": In(1),
                "done_count": In(shapes.unit),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer, count = self.current, self.count
        token = Signal(self.shapes.token)
        first = Signal(self.shapes.place)
        group = Signal(self.shapes.group)
        row = Signal(self.shapes.row)
        job = self.job.payload
        m.d.comb += [
            self.first_layer.eq(self.index == 0),
            self.context.eq(token.context),
            self.token.payload.eq(token),
            job.context.eq(token.context),
            job.input.eq(self.first_layer),
            job.first.eq(Mux(self.first_layer, first, layer.list_base)),
            job.count.eq(count),
            job.row.eq(row),
            job.meta.thread.eq(self.thread),
            job.meta.group.eq(group),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.sample.ready.eq(1)
                with m.If(self.sample.valid):
                    m.d.sync += [
                        token.eq(self.sample.payload.token),
                        first.eq(self.sample.payload.first),
                        count.eq(self.sample.payload.count),
                        self.masked.eq(self.sample.payload.masked),
                        self.index.eq(0),
                    ]
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += self.fetch.eq(1)
                with m.If(self.fetch_ready):
                    m.next = "LAYER"
            with m.State("LAYER"):
                m.d.sync += [layer.eq(self.layer), group.eq(0), row.eq(self.layer.weight_base)]
                m.next = "ISSUE"
            with m.State("ISSUE"):
                m.d.comb += self.job.valid.eq(1)
                with m.If(self.job.ready):
                    m.d.sync += [group.eq(group + 1), row.eq(row + layer.inputs + 1)]
                    with m.If(group == layer.groups - 1):
                        m.next = "WAIT"
            with m.State("WAIT"), m.If(self.done):
                m.d.sync += [count.eq(self.done_count), self.index.eq(self.index + 1)]
                m.next = "FETCH"
                with m.If(layer.last):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.token.valid.eq(1)
                with m.If(self.token.ready):
                    m.next = "IDLE"
        return m

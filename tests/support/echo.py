# SPDX-License-Identifier: BSD-2-Clause

"""An engine that says again what it hears, for tests of links."""

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class Echo(wiring.Component):
    """Each command word is a response word, at once."""

    command: stream.Interface
    response: stream.Interface

    def __init__(self) -> None:
        super().__init__(
            {"command": In(stream.Signature(32)), "response": Out(stream.Signature(32))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.response.valid.eq(self.command.valid),
            self.response.payload.eq(self.command.payload),
            self.command.ready.eq(self.response.ready),
        ]
        return m

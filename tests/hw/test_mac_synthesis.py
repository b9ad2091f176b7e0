"""The MAC array, as synthesis leaves it."""

import json
from pathlib import Path

from amaranth import ClockDomain, Module
from amaranth.back import rtlil
from amaranth.hdl import Value

from dualgate_hw.bitstream import tools
from dualgate_hw.bitstream.families import FAMILIES
from dualgate_hw.bitstream.source import for_synthesis
from dualgate_hw.mac import MacArray

NEURONS = 2


def test_every_product_keeps_its_multiplier_on_an_ice40(tmp_path: Path) -> None:
    array = MacArray(NEURONS, 1, vectors=1, weights=1)
    m = Module()
    # An init is what lets registers move into a multiplier; a reset would keep them out.
    m.domains.sync = clock = ClockDomain(reset_less=True)
    m.submodules.array = array
    ports = [Value.cast(value) for _, _, value in array.signature.flatten(array)]
    source = rtlil.convert(m, name="top", ports=[clock.clk, *ports], emit_src=False)
    (tmp_path / "top.il").write_text(for_synthesis(source))
    (tmp_path / "top.ys").write_text(
        f"read_rtlil top.il\nsynth_ice40 {FAMILIES['ice40'].synthesis} -top top\n"
        "write_json top.json\n"
    )
    arguments = ["-q", "-l", "top.rpt", "top.ys"]
    tools.find("yosys").run(arguments, tmp_path, tmp_path / "log", tmp_path / "top.rpt")
    cells = json.loads((tmp_path / "top.json").read_text())["modules"]["top"]["cells"]
    assert sum(cell["type"] == "SB_MAC16" for cell in cells.values()) == NEURONS

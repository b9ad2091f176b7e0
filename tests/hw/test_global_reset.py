"""The busiest reset of a netlist gets a buffer, and nothing else changes."""

import json
from pathlib import Path
from typing import Any

from dualgate_hw.bitstream.global_reset import FEWEST, spread_reset


def netlist(path: Path, registers: int) -> dict[str, Any]:
    """So many registers with reset 7, one with 8, one without and one that is never reset."""
    resets = [[7]] * registers + [[8], ["0"], []]
    cells = {
        f"ff_{n}": {"type": "TRELLIS_FF", "connections": {"Q": [10 + n], "LSR": reset}}
        for n, reset in enumerate(resets)
    }
    cells["lut"] = {"type": "LUT4", "connections": {"A": [7], "Z": [8]}}
    nets = {"all": {"bits": [7, 8, "x", *range(10, 10 + len(resets))]}}
    design = {"modules": {"top": {"cells": cells, "netnames": nets}, "LUT4": {"cells": {}}}}
    path.write_text(json.dumps(design))
    return design


def test_only_registers_of_the_busiest_reset_are_moved(tmp_path: Path) -> None:
    path = tmp_path / "top.json"
    before = netlist(path, FEWEST)["modules"]["top"]["cells"]
    assert spread_reset(path, "top") == FEWEST
    module = json.loads(path.read_text())["modules"]["top"]
    (new,) = module["netnames"]["global_reset"]["bits"]
    assert new not in module["netnames"]["all"]["bits"]
    buffer = module["cells"].pop("reset_buffer")
    assert buffer["type"] == "DCCA"
    assert buffer["connections"] == {"CLKI": [7], "CE": ["1"], "CLKO": [new]}
    for name, cell in module["cells"].items():
        if cell["type"] == "TRELLIS_FF" and before[name]["connections"]["LSR"] == [7]:
            assert cell["connections"]["LSR"] == [new]
        else:
            assert cell == before[name]


def test_a_reset_of_few_registers_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "top.json"
    netlist(path, FEWEST - 1)
    before = path.read_text()
    assert spread_reset(path, "top") == 0
    assert path.read_text() == before

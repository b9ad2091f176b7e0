# SPDX-License-Identifier: BSD-2-Clause

"""The busiest reset of a netlist gets a buffer, and nothing else changes."""

import copy
from typing import Any

from dualgate_hw.build.global_reset import FEWEST, spread_reset


def netlist(registers: int) -> dict[str, Any]:
    """So many registers with reset 7, one with 8, one without and one that is never reset."""
    resets = [[7]] * registers + [[8], ["0"], []]
    cells = {
        f"ff_{n}": {"type": "TRELLIS_FF", "connections": {"Q": [10 + n], "LSR": reset}}
        for n, reset in enumerate(resets)
    }
    cells["lut"] = {"type": "LUT4", "connections": {"A": [7], "Z": [8]}}
    nets = {"all": {"bits": [7, 8, "x", *range(10, 10 + len(resets))]}}
    return {"cells": cells, "netnames": nets}


def test_only_registers_of_the_busiest_reset_are_moved() -> None:
    module = netlist(FEWEST)
    before = copy.deepcopy(module["cells"])
    assert spread_reset(module) == FEWEST
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


def test_a_reset_of_few_registers_stays_where_it_is() -> None:
    module = netlist(FEWEST - 1)
    before = copy.deepcopy(module)
    assert spread_reset(module) == 0
    assert module == before

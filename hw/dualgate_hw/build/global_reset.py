# SPDX-License-Identifier: BSD-2-Clause

"""The reset that most registers of an ECP5 have goes to a network that is meant for clocks.

nextpnr puts only clocks there by itself. A reset of 15,000 registers, as an engine of 16 neurons
has, takes wires of every kind all over the part, and the router's time with them.
"""

from collections import defaultdict
from typing import Any

from .families import FAMILIES

RESET = "LSR"

FEWEST = 1000
"""Registers below which a reset stays on ordinary wires."""


def spread_reset(module: dict[str, Any]) -> int:
    """Give the busiest reset of a netlist a global buffer; returns how many registers it has.

    Parameters
    ----------
    module : dict
        A flat netlist, as yosys writes it; changed, unless no reset is busy enough.
    """
    registers = defaultdict(list)
    for cell in module["cells"].values():
        bits = cell["connections"].get(RESET, ())
        # Constants are strings.
        if cell["type"] in FAMILIES["ecp5"].flip_flops and bits and isinstance(bits[0], int):
            registers[bits[0]].append(cell)
    reset, found = max(registers.items(), key=lambda item: len(item[1]), default=(0, []))
    if len(found) < FEWEST:
        return 0
    bits = (bit for net in module["netnames"].values() for bit in net["bits"])
    buffered = 1 + max(bit for bit in bits if isinstance(bit, int))
    for cell in found:
        cell["connections"][RESET] = [buffered]
    module["cells"]["reset_buffer"] = {
        "hide_name": 0,
        "type": "DCCA",
        "parameters": {},
        "attributes": {},
        "port_directions": {"CLKI": "input", "CE": "input", "CLKO": "output"},
        "connections": {"CLKI": [reset], "CE": ["1"], "CLKO": [buffered]},
    }
    module["netnames"]["global_reset"] = {"hide_name": 0, "bits": [buffered], "attributes": {}}
    return len(found)

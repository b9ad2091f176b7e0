# SPDX-License-Identifier: BSD-2-Clause

"""The reset with most registers of an ECP5 is moved to one of the part's clock networks.

nextpnr itself puts only clocks there. An engine of 16 neurons has a reset of 15,000 registers; on
ordinary wires it takes wires of every kind all over the part, and much of the router's time.
"""

from collections import defaultdict
from typing import Any

from .families import FAMILIES

RESET = "LSR"

FEWEST = 1000
"""Number of registers below which a reset stays on ordinary wires."""


def spread_reset(module: dict[str, Any]) -> int:
    """Give the reset with most registers a global buffer; return the number of its registers.

    Parameters
    ----------
    module : dict
        A flat netlist, as yosys writes it; unchanged if no reset has `FEWEST` registers.
    """
    registers = defaultdict(list)
    for cell in module["cells"].values():
        bits = cell["connections"].get(RESET, ())
        # A net is a number, a constant a string.
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

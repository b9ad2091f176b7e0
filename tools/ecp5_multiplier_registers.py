# SPDX-License-Identifier: BSD-2-Clause

"""Netlist pass: multipliers of an ECP5 take the registers before and behind them into themselves.

``dualgate build ulx3s-45f --pass tools/ecp5_multiplier_registers.py``

A multiplier has registers for its operands and its product. yosys leaves these unused and makes
flip-flops beside LUTs, so a product takes 3.9 ns between two wires; from its own register it takes
none. A register can move if only the clock controls it.

nextpnr 0.11 warns of such a multiplier that it has "unsupported mixed input register modes", and
analyses it as if neither operand were registered. Clock rates of these builds cannot be trusted, so
a build fails on that warning.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from dualgate_hw.build.families import FAMILIES

Cells = dict[str, dict[str, Any]]
"""By name, as yosys writes them."""

PLAIN = {"CLKMUX": ("CLK",), "CEMUX": ("1", "CE"), "REGSET": ("RESET",)}
"""Parameters of a register that begins at 0 and takes over its input with each rising edge."""


def rewrite(module: dict[str, Any], part: str) -> str:
    """Move registers into the multipliers of a netlist; return the number saved in words."""
    return f"{absorb_registers(module)} flip-flops moved into multipliers"


def absorb_registers(module: dict[str, Any]) -> int:
    """Move registers into multipliers; return the number of flip-flops that this saved.

    Parameters
    ----------
    module : dict
        A flat netlist, as yosys writes it; changed.
    """
    before = len(module["cells"])
    Wiring(module).absorb_products()
    Wiring(module).absorb_operands()
    return before - len(module["cells"])


class Wiring:
    """The driver and the readers of each net of a netlist.

    Parameters
    ----------
    module : dict
        A module as yosys writes it; `absorb_products` and `absorb_operands` change its cells.
    """

    def __init__(self, module: dict[str, Any]) -> None:
        self.cells: Cells = module["cells"]
        self.drivers: dict[int, str] = {}
        self.readers: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for name, cell in self.cells.items():
            for port, bits in cell["connections"].items():
                for bit in bits:
                    if cell["port_directions"][port] == "output":
                        self.drivers[bit] = name
                    else:
                        self.readers[bit].append((name, port))
        for name, port in module["ports"].items():
            for bit in port["bits"]:
                self.readers[bit].append(("", name))

    @property
    def _multipliers(self) -> Iterator[dict[str, Any]]:
        return (cell for cell in self.cells.values() if _is_multiplier(cell))

    def absorb_products(self) -> None:
        """Move each product whose only readers are registers, one for each of its bits."""
        gone: list[str] = []
        for cell in self._multipliers:
            pins = [(pin, bit) for pin, bit in _pins(cell, "P") if self.readers[bit]]
            readers = [self.readers[bit] for _, bit in pins]
            if any(len(found) != 1 or found[0][1] != "DI" for found in readers):
                continue
            names = [found[0][0] for found in readers]
            if not self._can_move(cell, names):
                continue
            _use(cell, "OUTPUT", self.cells[names[0]])
            for (pin, _), name in zip(pins, names, strict=True):
                cell["connections"][pin] = self.cells[name]["connections"]["Q"]
            gone += names
        for name in gone:
            del self.cells[name]

    def absorb_operands(self) -> None:
        """Move each operand that consists of zeros and of registers that only multipliers read.

        Each of these multipliers then has registers of its own.
        """
        moved: dict[str, int] = defaultdict(int)
        for cell in self._multipliers:
            for operand in "AB":
                pins = [(pin, bit) for pin, bit in _pins(cell, operand) if bit not in ("0", "x")]
                names = [self.drivers.get(bit, "") for _, bit in pins]
                if not (self._can_move(cell, names) and all(map(self._for_operands, names))):
                    continue
                _use(cell, f"INPUT{operand}", self.cells[names[0]])
                for (pin, _), name in zip(pins, names, strict=True):
                    cell["connections"][pin] = self.cells[name]["connections"]["DI"]
                    moved[name] += 1
        for name, count in moved.items():
            (bit,) = self.cells[name]["connections"]["Q"]
            if count == len(self.readers[bit]):
                del self.cells[name]

    def _can_move(self, cell: dict[str, Any], names: list[str]) -> bool:
        """Return whether cells are registers of one clock; a multiplier's own must be the same."""
        registers = [self.cells.get(name, {}) for name in names]
        if not registers or not all(map(_is_plain, registers)):
            return False
        clocks = {bit for register in registers for bit in register["connections"]["CLK"]}
        return len(clocks | set(cell["connections"].get("CLK0", []))) == 1

    def _for_operands(self, name: str) -> bool:
        (bit,) = self.cells[name]["connections"]["Q"]
        readers = [(self.cells.get(reader, {}), port) for reader, port in self.readers[bit]]
        return all(_is_multiplier(cell) and port[0] in "AB" for cell, port in readers)


def _pins(cell: dict[str, Any], port: str) -> list[tuple[str, Any]]:
    """Pins of a port, such as A0 to A17, and their nets or constants."""
    connections = cell["connections"].items()
    return [
        (pin, bits[0]) for pin, bits in connections if pin[0] == port and pin[1:].isdigit() and bits
    ]


def _is_multiplier(cell: dict[str, Any]) -> bool:
    return cell.get("type") in FAMILIES["ecp5"].multipliers


def _is_plain(cell: dict[str, Any]) -> bool:
    if cell.get("type") not in FAMILIES["ecp5"].flip_flops:
        return False
    connections, parameters = cell["connections"], cell["parameters"]
    return (
        "DI" in connections
        and connections.get("CE", []) in ([], ["1"])
        and connections.get("LSR", []) in ([], ["0"])
        and all(parameters.get(name, wanted[0]).strip() in wanted for name, wanted in PLAIN.items())
    )


def _use(cell: dict[str, Any], which: str, register: dict[str, Any]) -> None:
    """Switch a multiplier's registers on, with a flip-flop's clock."""
    for signal, bits in (("CLK", register["connections"]["CLK"]), ("CE", ["1"]), ("RST", ["0"])):
        cell["parameters"][f"REG_{which}_{signal}"] = f"{signal}0"
        cell["connections"][f"{signal}0"] = list(bits)
        cell["port_directions"][f"{signal}0"] = "input"

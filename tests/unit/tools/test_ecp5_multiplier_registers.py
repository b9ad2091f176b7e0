# SPDX-License-Identifier: BSD-2-Clause

"""Registers move into multipliers where nothing but the clock tells them what to do."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from amaranth import ClockDomain, Module
from amaranth.back import rtlil
from amaranth.hdl import Value
from support.netlists import cell, synthesise

from dualgate_hw.common.mac import MacArray
from ecp5_multiplier_registers import Cells, absorb_registers

NEURONS, LANES = 2, 2


def register(source: Any, result: int, **more: Any) -> dict[str, Any]:
    return cell("TRELLIS_FF", {"CLK": 1, "DI": source, **more}, {"Q": result})


def netlist() -> Cells:
    """Two multipliers with one operand in common, and all their registers."""
    return {
        "a": register(2, 3),
        "b": register(4, 5),
        "c": register(6, 7),
        "left": cell("MULT18X18D", {"A0": 3, "A1": "0", "B0": 5}, {"P0": 8, "P1": 9, "P2": 10}),
        "right": cell("MULT18X18D", {"A0": 3, "A1": "0", "B0": 7}, {"P0": 11}),
        "p0": register(8, 12),
        "p1": register(9, 13),
        "q0": register(11, 14),
        "use": cell("LUT4", {"A": 12, "B": 13, "C": 14}, {"Z": 15}),
    }


def absorbed(cells: Cells, leaves: int = 15) -> tuple[int, Cells]:
    """How many registers are gone, and what is left."""
    ports = {"out": {"direction": "output", "bits": [leaves]}}
    module = copy.deepcopy({"cells": cells, "ports": ports})
    return absorb_registers(module), module["cells"]


def enabled(cells: Cells) -> None:
    cells["p1"] = register(9, 13, CE=20)


def with_reset(cells: Cells) -> None:
    cells["p1"] = register(9, 13, LSR=20)


def set_at_the_start(cells: Cells) -> None:
    cells["p1"]["parameters"]["REGSET"] = "SET"


def falling(cells: Cells) -> None:
    cells["p1"]["parameters"]["CLKMUX"] = "INV"


def of_another_clock(cells: Cells) -> None:
    cells["p1"] = register(9, 13, CLK=21)


def read_besides(cells: Cells) -> None:
    cells["more"] = cell("LUT4", {"A": 9}, {"Z": 22})


@pytest.mark.parametrize(
    "change",
    [
        enabled,
        with_reset,
        set_at_the_start,
        falling,
        of_another_clock,
        read_besides,
    ],
)
def test_a_product_stays_where_one_of_its_registers_has_to(
    change: Callable[[Cells], None],
) -> None:
    cells = netlist()
    change(cells)
    saved, found = absorbed(cells)
    # The other multiplier's moves all the same, and so do operands.
    assert saved == 4
    assert found["left"]["connections"]["P1"] == [9]
    assert "REG_OUTPUT_CLK" not in found["left"]["parameters"]
    assert found["p0"] == cells["p0"]
    assert found["p1"] == cells["p1"]


def test_a_product_that_leaves_as_it_is_stays() -> None:
    saved, found = absorbed(netlist(), leaves=9)
    assert saved == 4
    assert found["left"]["connections"]["P1"] == [9]


def test_an_operand_that_others_read_stays() -> None:
    cells = netlist()
    cells["more"] = cell("LUT4", {"A": 3}, {"Z": 22})
    saved, found = absorbed(cells)
    assert saved == 5
    assert found["a"] == cells["a"]
    for name in ("left", "right"):
        assert found[name]["connections"]["A0"] == [3]
        assert "REG_INPUTA_CLK" not in found[name]["parameters"]


def test_a_register_stays_for_the_multiplier_that_cannot_have_its_own() -> None:
    cells = netlist()
    cells["right"]["connections"]["A1"] = [23]
    saved, found = absorbed(cells)
    assert saved == 5
    assert found["left"]["connections"]["A0"] == [2]
    assert found["right"]["connections"]["A0"] == [3]
    assert found["a"] == cells["a"]


def test_a_constant_one_is_no_operand_of_registers() -> None:
    # Before the first clock it would be zero.
    cells = netlist()
    cells["left"]["connections"]["A1"] = ["1"]
    _, found = absorbed(cells)
    assert "REG_INPUTA_CLK" not in found["left"]["parameters"]


@pytest.mark.slow
def test_the_mac_array_keeps_no_register_of_its_operands_and_products(tmp_path: Path) -> None:
    array = MacArray(NEURONS, LANES, vectors=1, weights=1)
    m = Module()
    m.domains.sync = clock = ClockDomain()
    m.submodules.array = array
    ports = [Value.cast(value) for _, _, value in array.signature.flatten(array)]
    source = rtlil.convert(m, name="top", ports=[clock.clk, clock.rst, *ports], emit_src=False)
    module = synthesise(tmp_path, source, "ecp5")
    saved = absorb_registers(module)
    assert saved == NEURONS * 16 + NEURONS * LANES * (16 + 32)
    multipliers = [found for found in module["cells"].values() if found["type"] == "MULT18X18D"]
    assert len(multipliers) == NEURONS * LANES
    for found in multipliers:
        assert found["parameters"].keys() >= {"REG_INPUTA_CLK", "REG_INPUTB_CLK", "REG_OUTPUT_CLK"}

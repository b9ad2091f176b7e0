# SPDX-License-Identifier: BSD-2-Clause

"""Cells are counted; netlists that waste or exceed a part are refused."""

import json
from pathlib import Path

import pytest
from support.build_results import BOARD

from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import FitError
from dualgate_hw.build.families import FAMILIES
from dualgate_hw.build.utilisation import (
    Utilisation,
    check_fit,
    check_memories,
    check_multipliers,
    count,
    memories,
)

RTLIL = r"""
module \top
end
module \top.engine.lists
  memory width 32 size 1024 \storage
  memory width 8 size 4 \small
end
"""
NAME = "top.engine.lists.storage"


def test_memories_are_found_by_their_path() -> None:
    assert memories(RTLIL) == {NAME: (32, 1024), "top.engine.lists.small": (8, 4)}


@pytest.mark.parametrize(
    "line",
    [
        f"mapping memory {NAME} via $__DP16KD_",
        "using FF mapping for memory top.engine.lists.small",
        "mapping memory top.engine.lists.small via $__TRELLIS_DPR16X4_",
    ],
)
def test_memories_in_block_ram_and_small_ones_elsewhere_pass(line: str) -> None:
    check_memories(line, memories(RTLIL), FAMILIES["ecp5"])


@pytest.mark.parametrize(
    ("line", "became"),
    [
        (f"using FF mapping for memory {NAME}", "registers"),
        (f"mapping memory {NAME} via $__TRELLIS_DPR16X4_", "LUTs"),
    ],
)
def test_a_large_memory_elsewhere_fails_the_build(line: str, became: str) -> None:
    with pytest.raises(
        FitError, match=rf"^memory {NAME} \(1024 words of 32 bits\) became {became}"
    ):
        check_memories(line, memories(RTLIL), FAMILIES["ecp5"])


def test_multipliers_made_of_luts_fail_the_build() -> None:
    engine = EngineParameters(neurons=4)
    check_multipliers(Utilisation(0, 0, 0, 15), engine)
    with pytest.raises(FitError, match=r"^14 of 15 multipliers became DSP blocks"):
        check_multipliers(Utilisation(0, 0, 0, 14), engine)


@pytest.mark.parametrize(
    ("used", "what"),
    [
        (Utilisation(24_289, 0, 0, 0), "24289 LUTs needed, the LFE5U-25F has 24288"),
        (Utilisation(0, 24_289, 0, 0), "24289 flip-flops"),
        (Utilisation(0, 0, 57, 0), "57 block RAMs"),
        (Utilisation(0, 0, 0, 29), "29 multipliers"),
    ],
)
def test_what_does_not_fit_is_named(used: Utilisation, what: str) -> None:
    with pytest.raises(FitError, match=f"^{what}"):
        check_fit(used, BOARD)


def test_cells_are_counted_with_what_they_take(tmp_path: Path) -> None:
    kinds = ["LUT4", "LUT4", "CCU2C", "TRELLIS_DPR16X4", "TRELLIS_FF", "DP16KD", "MULT18X18D", "X"]
    cells = {f"cell{n}": {"type": kind} for n, kind in enumerate(kinds)}
    path = tmp_path / "top.json"
    path.write_text(json.dumps({"modules": {"top": {"cells": cells}, "LUT4": {"cells": {}}}}))
    assert count(path, FAMILIES["ecp5"]) == Utilisation(2 + 2 + 6, 1, 1, 1)

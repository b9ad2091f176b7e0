# SPDX-License-Identifier: BSD-2-Clause

"""Names of parts and signals: read from SystemVerilog, looked up, listed where one is wrong."""

import pytest

from dualgate.contract.errors import InputError
from dualgate_sim.rtl.names import Names, Signal, declared

VERILOG = """\
module engine(clk);
  input clk;
  wire clk;
endmodule

module \\engine.inner (w_data, clk);
  wire [3:0] _3_;
  input [7:0] w_data;
  wire [7:0] w_data;
  reg [31:0] storage [2:0];
  wire \\clk$4 ;
endmodule

module \\engine.inner.core_0 (clk);
  output [15:0] row;
  reg [15:0] row = 16'h0000;
endmodule

module \\engine.inner.core_0.tangent (clk);
  input clk;
endmodule

module \\engine.inner.batch_end$196 (clk);
  input clk;
endmodule
"""


@pytest.fixture
def names() -> Names:
    return Names(declared(VERILOG))


def test_signals_have_their_widths_without_memories() -> None:
    assert declared(VERILOG).splitlines() == [
        "engine clk:1",
        "engine.inner w_data:8 clk$4:1",
        "engine.inner.core_0 row:16",
        "engine.inner.core_0.tangent clk:1",
        "engine.inner.batch_end$196 clk:1",
    ]


def test_a_part_is_found_without_amaranth_s_number(names: Names) -> None:
    assert names.scopes() == ["batch_end", "core_0", "core_0.tangent"]
    assert names.find("batch_end") == "engine.inner.batch_end$196"
    assert names.find("core_0.tangent") == "engine.inner.core_0.tangent"
    assert names.find("") == "engine"


@pytest.mark.parametrize(
    ("part", "choices"),
    [
        ("core0.tangent", "choose batch_end, core_0"),
        ("core_0.tangnet", "choose core_0.tangent"),
        ("core_0.tangent.seeds", "choose core_0.tangent"),
    ],
)
def test_an_unknown_part_lists_those_there_are(names: Names, part: str, choices: str) -> None:
    with pytest.raises(InputError, match=f"^the engine has no part '{part}' to trace; {choices}$"):
        names.find(part)


def test_signals_that_an_engine_lacks_are_left_out(names: Names) -> None:
    assert list(names.signals("core_0", "row column")) == [
        Signal("TOP.engine.inner.core_0.row", 16)
    ]
    assert list(names.signals("core_1", "row")) == []

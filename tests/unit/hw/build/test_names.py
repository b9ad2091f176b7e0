# SPDX-License-Identifier: BSD-2-Clause

"""Names with indices, which synthesis takes for bits of other names."""

from pathlib import Path

from support.netlists import synthesise

from dualgate_hw.build.names import without_indices

# The output depends on bit 1 of one signal, and on bit 0 of another whose name is `right[1]`.
RTLIL = r"""
module \top
  wire width 2 input 1 \right
  wire width 2 input 2 \right[1]
  wire output 3 \both
  cell $and $1
    parameter \A_SIGNED 0
    parameter \A_WIDTH 1
    parameter \B_SIGNED 0
    parameter \B_WIDTH 1
    parameter \Y_WIDTH 1
    connect \A \right [1]
    connect \B \right[1] [0]
    connect \Y \both
  end
end
"""


def test_only_indices_within_names_are_renamed() -> None:
    assert r"connect \A \right [1]" in without_indices(RTLIL)
    assert r"connect \B \right:1 [0]" in without_indices(RTLIL)
    assert without_indices(r"  wire width 8 \sums[0][12]$3") == r"  wire width 8 \sums:0:12$3"
    assert without_indices(r"  connect \a { \b [3:0] \c[1] [7] }") == (
        r"  connect \a { \b [3:0] \c:1 [7] }"
    )


def test_synthesis_keeps_two_signals_apart(tmp_path: Path) -> None:
    top = synthesise(tmp_path, without_indices(RTLIL), "synth_ecp5")
    (lut,) = (cell for cell in top["cells"].values() if cell["type"] == "LUT4")
    looked_at = {bit for pin in "ABCD" for bit in lut["connections"][pin] if isinstance(bit, int)}
    ports = top["ports"]
    assert looked_at == {ports["right"]["bits"][1], ports["right:1"]["bits"][0]}

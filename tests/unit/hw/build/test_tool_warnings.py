# SPDX-License-Identifier: BSD-2-Clause

"""Warnings in logs: counted by kind, and refused unless there is a reason not to."""

from pathlib import Path

import pytest

from dualgate_hw.build.tool_warnings import HARMLESS, Warnings, read_warnings, unexplained

LOG = """\
Info: no Warning here
Warning: DSP 'a.left' is odd
Warning: DSP 'b.right[3]' is odd
top.v:12: Warning: wire a.b.c has 3 drivers.
Lexer warning: The SystemVerilog keyword `bit' (at /x.v:35) is not recognized unless read_verilog
Warning: wire d has 4 drivers.
Warnings: 2 unique messages, 5 total
"""


def found_in(directory: Path, *texts: str) -> list[Warnings]:
    logs = [directory / f"{number}.log" for number in range(len(texts))]
    for log, text in zip(logs, texts, strict=True):
        log.write_text(text)
    return read_warnings(logs)


def test_warnings_that_differ_in_names_are_of_one_kind(tmp_path: Path) -> None:
    first, second = found_in(tmp_path, LOG, LOG)[:2]
    assert str(first) == "warning: DSP 'a.left' is odd (4 like this)"
    assert (second.text, second.count) == ("wire a.b.c has 3 drivers.", 2)
    assert first.log == tmp_path / "0.log"


def test_a_warning_without_a_reason_is_a_problem(tmp_path: Path) -> None:
    problem = unexplained(found_in(tmp_path, LOG))
    assert problem.startswith("warning: DSP 'a.left' is odd (2 like this), see ")
    assert "keyword" not in problem


@pytest.mark.parametrize(
    "text",
    [
        "Warning: Wire top.total$22 has an unprocessed 'init' attribute.",
        "Lexer warning: The SystemVerilog keyword `bit' (at /share/abc9_map.v:35) is not "
        "recognized unless read_verilog is called with -sv!",
        "Warning: net 'engine_clock' does not exist in design, ignoring clock constraint",
    ],
)
def test_a_harmless_warning_has_its_reason(text: str, tmp_path: Path) -> None:
    (warning,) = found_in(tmp_path, text)
    assert warning.reason in HARMLESS.values()
    assert unexplained([warning]) == ""


def test_multipliers_whose_timing_is_guessed_are_a_problem(tmp_path: Path) -> None:
    text = "Warning: DSP 'left' has unsupported mixed input register modes"
    assert unexplained(found_in(tmp_path, text))

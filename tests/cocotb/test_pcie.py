# SPDX-License-Identifier: BSD-2-Clause

"""The BAR target behind the models of a root complex and of the UltraScale+ block."""

from pathlib import Path

import conversations
import pcie_designs
import pytest
import runs
from pcie_designs import echo_board, engine_board
from support import echo as echo_design

TOP = "pcie_board"


def run(program: Path, module: str, name: str, count: int, directory: Path) -> None:
    """Run the `count` tests of a bench whose names begin so."""
    runs.run(program, TOP, module, directory, f"^{module}\\.{name}", count)


FILES = [Path(module.__file__) for module in (pcie_designs, conversations, echo_design)]


@pytest.fixture(scope="module")
def echo() -> Path:
    return runs.build(echo_board, TOP, "echo", files=FILES)


@pytest.fixture(scope="module")
def engine() -> Path:
    return runs.build(engine_board, TOP, "engine", files=FILES)


def test_a_host_finds_the_bar_and_what_the_board_says_of_itself(echo: Path, tmp_path: Path) -> None:
    run(echo, "pcie_bench", "identity", 1, tmp_path)


def test_memory_behaves_as_memory_and_completions_as_pcie_demands(
    echo: Path, tmp_path: Path
) -> None:
    run(echo, "pcie_bench", "accesses", 8, tmp_path)


def test_words_come_back_through_the_window_in_order(echo: Path, tmp_path: Path) -> None:
    run(echo, "pcie_bench", "echoes", 4, tmp_path)


def test_requests_that_are_not_supported_are_refused(echo: Path, tmp_path: Path) -> None:
    run(echo, "pcie_bench", "refusals", 1, tmp_path)


def test_words_too_many_and_parts_of_words_are_dropped_and_told(echo: Path, tmp_path: Path) -> None:
    run(echo, "pcie_bench", "dropped", 2, tmp_path)


def test_a_reset_empties_the_stream(echo: Path, tmp_path: Path) -> None:
    run(echo, "pcie_bench", "reset_of_the_stream", 1, tmp_path)


def test_writes_pass_reads_whose_completions_cannot_leave(echo: Path, tmp_path: Path) -> None:
    run(echo, "pcie_bench", "writes_pass_reads_that_wait", 1, tmp_path)


def test_a_training_run_through_the_bar_is_the_golden_model_s(engine: Path, tmp_path: Path) -> None:
    run(engine, "pcie_training_bench", "training", 2, tmp_path)


def test_words_in_bursts_leave_the_engine_as_the_limit(engine: Path, tmp_path: Path) -> None:
    run(engine, "pcie_training_bench", "bursts", 1, tmp_path)

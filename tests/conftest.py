# SPDX-License-Identifier: BSD-2-Clause

"""What all tests share: examples of hypothesis, the tiers of the rooms, the order of tests."""

import gc
import os
import warnings
from pathlib import Path

import pytest
from support.effort import register_profiles

HERE = Path(__file__).parent

SLOW_ROOMS = {"cocotb", "integration", "proofs"}
"""Their tests compile, prove or train; all of them are slow, without a mark of their own."""

register_profiles()


def pytest_configure(config: pytest.Config) -> None:
    """After a failure Amaranth warns of all it did not get to simulate, which says nothing."""
    config.addinivalue_line("filterwarnings", "ignore:.*created but never used")
    warnings.filterwarnings("ignore", message=".*created but never used")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the rooms of slow tests, and give each process its share of them first.

    pytest-xdist deals contiguous parts of the list to its processes, which then steal from each
    other's ends. So each part begins with slow files and ends with fast ones.
    """
    for item in items:
        if item.path.relative_to(HERE).parts[0] in SLOW_ROOMS:
            item.add_marker("slow")
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    slow = [group for group in files.values() if any(i.get_closest_marker("slow") for i in group)]
    fast = [group for group in files.values() if group not in slow]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = [
        item
        for worker in range(workers)
        for group in slow[worker::workers] + fast[worker::workers]
        for item in group
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Let go of a failed simulation's coroutines now: amid a report, Python trips over that."""
    if call.excinfo is not None:
        gc.collect()

# SPDX-License-Identifier: BSD-2-Clause

"""What all tests share."""

import gc
import warnings

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is not a failure; time is asserted where it is promised.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_configure(config: pytest.Config) -> None:
    """After a failure Amaranth warns of all it did not get to simulate, which says nothing."""
    config.addinivalue_line("filterwarnings", "ignore:.*created but never used")
    warnings.filterwarnings("ignore", message=".*created but never used")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Let go of a failed simulation's coroutines now: amid a report, Python trips over that."""
    if call.excinfo is not None:
        gc.collect()

# SPDX-License-Identifier: BSD-2-Clause

"""Models that other packages register."""

from collections.abc import Callable
from typing import Any

import pytest

from dualgate.contract.errors import MissingToolError
from dualgate.devices import models
from dualgate.devices.models import find_inspector, find_interpreter, find_measure
from dualgate_sim.compact import InterpretedDevice
from dualgate_sim.golden.activity import activity
from dualgate_sim.golden.inspection import inspect_batch


def test_the_simulation_s_package_registers_its_models() -> None:
    assert find_measure() is activity
    assert find_inspector() is inspect_batch
    assert find_interpreter() is InterpretedDevice


class Entry:
    def load(self) -> Any:
        raise ModuleNotFoundError("No module", name="dualgate_sim")


@pytest.mark.parametrize("find", [find_measure, find_inspector, find_interpreter])
@pytest.mark.parametrize(
    ("found", "message"),
    [([], "install dualgate with it again"), ([Entry()], "needs dualgate_sim")],
)
def test_a_host_without_a_model_says_so(
    monkeypatch: pytest.MonkeyPatch, find: Callable[[], Any], found: list[Entry], message: str
) -> None:
    monkeypatch.setattr(models, "entry_points", lambda **_: found)
    with pytest.raises(MissingToolError, match=message):
        find()

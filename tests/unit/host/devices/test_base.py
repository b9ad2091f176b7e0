# SPDX-License-Identifier: BSD-2-Clause

"""Devices by name: one whose module fails is named, and the others work."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from dualgate.contract.errors import DeviceError, MissingToolError
from dualgate.devices import base, open_device

GROUP = "dualgate.devices"


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("1 / 0", DeviceError, "device mine: failing fails: ZeroDivisionError: division by zero"),
        ("from math import nothing", DeviceError, "device mine: failing fails: cannot import name"),
        ("import not_there", MissingToolError, "device mine needs not_there, which is missing"),
    ],
)
def test_a_device_whose_module_fails_is_named_and_others_open(
    source: str,
    kind: type[Exception],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "failing.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    found = [
        EntryPoint("mine", "failing:Device", GROUP),
        EntryPoint("golden", "dualgate_sim.golden.device:GoldenDevice", GROUP),
    ]
    monkeypatch.setattr(base, "entry_points", lambda group: found)
    with pytest.raises(kind, match=f"^{message}"):
        open_device("mine")
    open_device("golden").close()

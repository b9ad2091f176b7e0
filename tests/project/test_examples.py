# SPDX-License-Identifier: BSD-2-Clause

"""Each example runs as its first lines say, and ends with the result that it is about."""

import re
import subprocess
import sys

import pytest
from support.paths import ROOT

pytestmark = pytest.mark.slow

SHOWS = {
    "train": r"epoch 5: held-out accuracy 9\d\.\d%, kept tangents \d\d%",
    "sklearn_pipeline": r"held-out accuracy: (9\d\.\d|100\.0)%",
    "own_csv": r"classes a, b, c: held-out accuracy 9\d\.\d%",
    "onnx_fine_tuning": r"second epoch, from the file: held-out accuracy 9\d\.\d%",
    "export_to_c": r"all \d+ answers in C are those of the device, to the bit",
    "frozen_layer": r"first frozen: held-out accuracy \d\d\.\d%, \d\d tangent rows",
    "engine_in_amaranth": r"all four answers were right after \d+ cycles",
    "serve_and_train": r"the weights are the same bits",
}

SLOW = {"serve_and_train"}


def test_every_example_is_run() -> None:
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == set(SHOWS)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.thorough] if n in SLOW else []) for n in SHOWS]
)
def test_an_example_ends_with_what_it_is_about(name: str) -> None:
    path = ROOT / "examples" / f"{name}.py"
    result = subprocess.run(
        [sys.executable, "-W", "error", str(path)], capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(SHOWS[name], result.stdout.splitlines()[-1]), result.stdout
    assert f"examples/{name}.py" in path.read_text()

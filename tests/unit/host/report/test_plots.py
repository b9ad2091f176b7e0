# SPDX-License-Identifier: BSD-2-Clause

"""Pictures of a run."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dualgate.contract.errors import InputError, MissingToolError
from dualgate.report.plots import draw_confusion, draw_curves, draw_weights
from dualgate.train.record import Record

RECORDS = [
    Record(1, 0.9, 0.5, 0.8, 0.6, 1000.0, None, 0.4, 0),
    Record(2, 0.5, 0.8, 0.6, 0.7, 1100.0, 12.5, 0.3, 2),
]
WITHOUT_CLASSES = [replace(record, accuracy=None, held_out_accuracy=None) for record in RECORDS]
WEIGHTS = np.linspace(-1, 1, 65 * 5).reshape(65, 5)


def pictures(path: Path) -> None:
    draw_curves(path / "classes.png", RECORDS, "a title")
    draw_curves(path / "curves.png", WITHOUT_CLASSES, "a title")
    draw_confusion(path / "confusion.png", [[3, 1], [0, 0]], "a title")
    draw_weights(path / "weights.png", WEIGHTS, "a title")
    draw_weights(path / "zeros.png", WEIGHTS * 0, "a title")


def test_pictures_are_png_files(tmp_path: Path) -> None:
    pictures(tmp_path)
    files = list(tmp_path.iterdir())
    assert len(files) == 5
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_weights_of_no_square_image_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^5 inputs are no square image"):
        draw_weights(tmp_path / "x.png", np.ones((6, 2)), "a title")


def test_without_matplotlib_there_is_a_word_and_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingToolError, match=r"pip install dualgate\[plot\]$"):
        pictures(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_be_written_costs_no_picture(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code = "from dualgate.report.plots import draw_confusion; from pathlib import Path; "
    code += f"draw_confusion(Path({str(tmp_path / 'c.png')!r}), [[1]], 'title')"
    home = str(tmp_path / "file")
    variables = {"HOME": home, "XDG_CACHE_HOME": home, "XDG_CONFIG_HOME": home}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={k: v for k, v in os.environ.items() if k != "MPLCONFIGDIR"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (tmp_path / "c.png").stat().st_size

# SPDX-License-Identifier: BSD-2-Clause

"""Pictures of a run."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dualgate.contract.errors import InputError, MissingToolError
from dualgate.report import figures
from dualgate.report.plots import draw_confusion, draw_curves, draw_weights
from dualgate.report.vector import INK, inline_svg
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


def words(figure: Any) -> list[str]:
    """Every text of a figure."""
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def test_a_confusion_matrix_has_the_names_of_its_classes() -> None:
    pytest.importorskip("matplotlib")
    names = ("cat", "a name of more than eighteen letters", "$x_")
    shown = words(figures.confusion(np.eye(3, dtype=int).tolist(), "a title", names))
    assert {"cat", "a name of more th…", "$x_", "share of the row"} <= set(shown)
    numbered = words(figures.confusion([[3, 1], [0, 2]], "a title"))
    assert {"0", "1", "3", "2"} <= set(numbered)


def test_unprintable_letters_and_dollars_are_drawn(tmp_path: Path) -> None:
    draw_confusion(tmp_path / "x.png", [[1, 0], [0, 1]], "$title", ("a\nb\0c", "\u4e2d $x"))
    assert (tmp_path / "x.png").stat().st_size


def test_weights_have_a_scale() -> None:
    pytest.importorskip("matplotlib")
    for figure in (figures.weight_images(WEIGHTS, ""), figures.weight_matrix(WEIGHTS, "")):
        assert "weight" in words(figure)
        image, bar = figure.axes
        assert image.images[0].get_clim() == (-1.0, 1.0)
        assert bar.get_ylim() == (-1.0, 1.0)


def test_costs_are_drawn_where_there_are_some() -> None:
    pytest.importorskip("matplotlib")
    clocked = [replace(record, cycles_per_sample=9.5) for record in RECORDS]
    assert {"tangents kept", "cycles a sample"} <= set(words(figures.curves(clocked, "", True)))
    assert not {"tangents kept", "cycles a sample"} & set(words(figures.curves(clocked, "")))
    whole = [replace(r, kept_fraction=1.0, cycles_per_sample=None) for r in RECORDS]
    assert not {"tangents kept", "cycles a sample"} & set(words(figures.curves(whole, "", True)))


def test_large_matrices_are_averaged_in_blocks() -> None:
    kept = np.zeros((130, 3))
    kept[64:] = 1.0
    figure = figures.kept_entries(kept)
    drawn = figure.axes[0].images[0].get_array()
    assert drawn.shape == (64, 3)
    assert (drawn[0, 0], drawn[-1, 0]) == (0.0, 1.0)


def test_an_svg_has_no_colour_of_its_own_and_says_what_it_shows() -> None:
    pytest.importorskip("matplotlib")
    svg = inline_svg(lambda: figures.curves(RECORDS, ""), "curves", 'loss "and" <more>')
    assert svg.startswith('<svg role="img" aria-label="loss &quot;and&quot; &lt;more&gt;"')
    assert "currentColor" in svg
    assert INK not in svg
    assert inline_svg(lambda: figures.curves(RECORDS, ""), "curves", "x") == inline_svg(
        lambda: figures.curves(RECORDS, ""), "curves", "x"
    )


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

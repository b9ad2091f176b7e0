# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate report`: a page and hints of a run, or one line that says why not."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from dualgate.cli import main
from dualgate.train.checkpoint import load_checkpoint

pytest.importorskip("sklearn")
pytest.importorskip("jinja2")


@pytest.fixture
def run_of_iris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    done = run("train", "iris", "--device", "golden", "--epochs", "2", "--out", "runs/flowers")
    assert done.exit_code == 0, done.stderr
    return Path("runs/flowers")


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def test_the_page_is_written_into_the_run(run_of_iris: Path) -> None:
    result = run("report", "runs/flowers")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "report: runs/flowers/report.html"
    page = (run_of_iris / "report.html").read_text()
    assert "<h1>flowers</h1>" in page
    assert "dualgate train iris" in page


def test_the_command_in_the_report_gives_the_same_weights(run_of_iris: Path) -> None:
    found = json.loads(run("report", "runs/flowers", "--json").stdout)
    typed = shlex.split(found["command"])
    assert typed[0] == "dualgate"
    again = run(*typed[1:], "--device", "golden", "--out", "again")
    assert again.exit_code == 0, again.stderr
    first, second = (load_checkpoint(p / "checkpoint.npz") for p in (run_of_iris, Path("again")))
    assert first.recipe == second.recipe
    assert first.network == second.network
    for one, other in zip(first.weights, second.weights, strict=True):
        assert np.array_equal(one, other)


def test_a_run_of_a_regression_has_no_classes(run_of_iris: Path) -> None:
    args = ("--device", "golden", "--epochs", "2", "--layers", "4,3,1")
    assert run("train", "magnitudes", *args).exit_code == 0
    result = run("report", "runs/magnitudes")
    assert result.exit_code == 0, result.stderr
    page = Path("runs/magnitudes/report.html").read_text()
    assert 'id="confusion"' not in page
    assert "dualgate train magnitudes" in page


def test_another_place_can_be_chosen(run_of_iris: Path) -> None:
    result = run("report", "runs/flowers", "--out", "pages/x.html")
    assert result.exit_code == 0, result.stderr
    assert Path("pages/x.html").stat().st_size
    assert not (run_of_iris / "report.html").exists()


def test_figures_for_machines_go_to_standard_output(run_of_iris: Path) -> None:
    result = run("report", "runs/flowers", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["epochs"][1]["epoch"] == 2
    assert not (run_of_iris / "report.html").exists()


def test_a_folder_without_a_run_is_an_error_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    for place in ("empty", "nowhere"):
        result = run("report", place)
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1
        assert place in result.stderr
    assert list(tmp_path.rglob("*.html")) == []


def test_a_place_that_cannot_be_written_is_named(run_of_iris: Path) -> None:
    result = run("report", "runs/flowers", "--out", "runs")
    assert result.exit_code == 2
    assert result.stderr == "error: cannot write runs: it is not a file; choose another path\n"

# SPDX-License-Identifier: BSD-2-Clause

"""A table of one's own from the command line: trained, predicted from, measured, exported."""

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from support.idx_files import write_images
from support.processes import background, end, wait_until

from dualgate.cli import main
from dualgate.runs import load_run

pytest.importorskip("sklearn")
pytest.importorskip("pandas")

GOLDEN = ("--device", "golden")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def write_wines(path: Path, count: int = 200, seed: int = 0) -> list[str]:
    """A semicolon table with decimal commas, missing cells and words; the classes of its rows."""
    random = np.random.default_rng(seed)
    rows, classes = ["acid;sugar;colour;quality"], []
    for index in range(count):
        good = bool(random.random() < 0.5)
        acid = f"{random.normal(2 if good else 5):.2f}".replace(".", ",")
        sugar = "" if index % 9 == 4 else f"{random.normal(20, 4):.1f}".replace(".", ",")
        colour = "" if index % 11 == 3 else "rosé" if good == (random.random() < 0.8) else "white"
        classes.append("good" if good else "bad")
        rows.append(f"{acid};{sugar};{colour};{classes[-1]}")
    path.write_text("\n".join(rows) + "\n", encoding="cp1252")
    return classes


def test_a_table_is_trained_and_predicted_from(here: Path) -> None:
    write_wines(here / "wine.csv")
    right = write_wines(here / "new.csv", 50, seed=1)
    done = run("train", "wine.csv", "--target", "quality", *GOLDEN, "--json", "x.json")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("classification: quality holds 2 different words\n")
    figures = json.loads((here / "x.json").read_text())
    assert figures["accuracy"] > 0.75
    assert figures["classes"] == ["bad", "good"]
    predicted = run("predict", "runs/wine", "new.csv", "--probabilities")
    rows = list(csv.DictReader(io.StringIO(predicted.stdout)))
    assert np.mean([row["quality"] == name for row, name in zip(rows, right, strict=True)]) > 0.75
    for row in rows:
        best = max(("bad", "good"), key=lambda name: float(row[f"P({name})"]))
        assert row["quality"] == best or abs(float(row["P(bad)"]) - 0.5) < 1e-3
    measured = json.loads(run("evaluate", "runs/wine", "new.csv", "--json").stdout)
    hits = sum(row["quality"] == name for row, name in zip(rows, right, strict=True))
    assert measured["accuracy"] == hits / 50
    held_out = json.loads(run("evaluate", "runs/wine", "--json").stdout)
    assert (held_out["accuracy"], held_out["loss"]) == (figures["accuracy"], figures["loss"])
    exported = run("export", "runs/wine", "wine.h")
    assert exported.exit_code == 0, exported.stderr
    assert "inputs: prepared as runs/wine/run.json says" in exported.stdout
    assert '"good"' in (here / "wine.h").read_text()


def test_columns_may_come_in_any_order_without_the_target(here: Path) -> None:
    write_wines(here / "wine.csv")
    assert run("train", "wine.csv", "--target", "quality", *GOLDEN).exit_code == 0
    lines = [line.split(";") for line in (here / "wine.csv").read_text("cp1252").splitlines()]
    (here / "new.csv").write_text(
        "\n".join(
            f"{c};{s};{a};0" if c != "colour" else "colour;sugar;acid;zip" for a, s, c, _ in lines
        ),
        "cp1252",
    )
    same = run("predict", "runs/wine", "wine.csv")
    assert run("predict", "runs/wine", "new.csv").stdout == same.stdout
    (here / "new.csv").write_text("acid;colour\n1,0;white\n")
    lacking = run("predict", "runs/wine", "new.csv")
    assert (lacking.exit_code, lacking.stderr) == (
        2,
        "error: the table has no column 'sugar'; add it\n",
    )


def test_numbers_are_predicted_in_their_unit(here: Path) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(300, 3))
    y = 1000 + 50 * x[:, 0] - 30 * x[:, 1]
    table = np.column_stack([x, y])
    np.savetxt("rent.csv", table, delimiter=",", header="a,b,c,rent", comments="", fmt="%.6f")
    done = run("train", "rent.csv", "--target", "rent", *GOLDEN, "--json", "x.json")
    assert "regression: rent holds 300 different numbers" in done.stdout
    figures = json.loads(Path("x.json").read_text())
    assert figures["r2"] > 0.95
    predicted = run("predict", "runs/rent", "rent.csv").stdout.splitlines()
    assert predicted[0] == "rent"
    errors = np.array(predicted[1:], float) - y
    assert np.sqrt((errors**2).mean()) < 2 * figures["rmse"] < 30


def test_arrays_are_trained_and_predicted_from(here: Path) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 5))
    y = (x[:, 0] > 0).astype(np.int64) + 3
    np.savez("data.npz", x=x, y=y)
    np.save("x.npy", x)
    np.save("y.npy", y)
    for args in (("data.npz",), ("x.npy", "--target", "y.npy")):
        done = run("train", *args, *GOLDEN)
        assert done.exit_code == 0, done.stderr
    for name in ("data", "x"):
        predicted = run("predict", f"runs/{name}", "x.npy").stdout.splitlines()[1:]
        assert set(predicted) == {"3", "4"}
        assert np.mean(np.array(predicted, int) == y) > 0.9


def test_a_directory_of_images_is_trained_and_predicted_from(here: Path) -> None:
    write_images(here / "letters")
    done = run("train", "letters", "--epochs", "2", *GOLDEN)
    assert done.exit_code == 0, done.stderr
    images = "letters/t10k-images-idx3-ubyte"
    predicted = run("predict", "runs/letters", images)
    assert len(predicted.stdout.splitlines()) == 21, predicted.stderr


def test_a_second_run_keeps_the_first(here: Path) -> None:
    quick = ("train", "xor", *GOLDEN, "--epochs", "1")
    assert run(*quick).exit_code == run(*quick).exit_code == 0
    assert (here / "runs/xor-2/checkpoint.npz").exists()
    before = (here / "runs/xor/checkpoint.npz").read_bytes()
    refused = run(*quick, "--out", "runs/xor", "--seed", "5")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert (here / "runs/xor/checkpoint.npz").read_bytes() == before
    assert run(*quick, "--out", "runs/xor", "--seed", "5", "--overwrite").exit_code == 0
    assert load_run(here / "runs/xor").checkpoint.recipe.seed == 5


def test_a_run_of_own_data_goes_on_to_the_same_bits(here: Path) -> None:
    write_wines(here / "wine.csv")
    train = ("train", "wine.csv", *GOLDEN)
    target = ("--target", "quality", "--seed", "3", "--test", "0.3")
    assert run(*train, *target, "--epochs", "4", "--out", "whole").exit_code == 0
    assert run(*train, *target, "--epochs", "2", "--out", "half").exit_code == 0
    on = run(*train, "--epochs", "4", "--out", "half", "--resume")
    assert on.exit_code == 0, on.stderr
    whole, half = (load_run(here / name).checkpoint for name in ("whole", "half"))
    assert all((a == b).all() for a, b in zip(whole.weights, half.weights, strict=True))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_says_how_to_go_on(here: Path, number: int, status: int) -> None:
    args = ("train", "digits", *GOLDEN, "--epochs", "500", "--batch", "100")
    with background(*args) as process:
        wait_until((here / "runs/digits/checkpoint.npz").exists, process)
        found, _, stderr = end(process, number)
    assert found == status
    assert stderr.splitlines()[-1] == (
        "error: interrupted, nothing is lost; go on with: dualgate train digits --device golden "
        "--out runs/digits --resume"
    )
    assert load_run(here / "runs/digits").checkpoint.records


BAD = {
    "iris takes no --data": ("iris", "--data", "wine.csv"),
    "--target is for a file of your own, and iris has its own": ("iris", "--target", "x"),
    "which column is to be predicted? give --target": ("wine.csv",),
    "unknown column 'qualty', did you mean quality?": ("wine.csv", "--target", "qualty"),
    "unknown column 'zip'; choose acid": ("wine.csv", "--target", "quality", "--drop", "zip"),
    "there is no missing.csv": ("missing.csv", "--target", "x"),
    "unknown task 'digts', did you mean digits?": ("digts",),
    "quality holds words, and a regression needs numbers": (
        *("wine.csv", "--target", "quality"),
        *("--loss", "mse"),
    ),
    "--test 1.5: give a share": ("wine.csv", "--target", "quality", "--test", "1.5"),
    "--data is for tasks": ("wine.csv", "--target", "quality", "--data", "."),
}


@pytest.mark.parametrize("message", BAD)
def test_unusable_data_are_refused_in_one_line(here: Path, message: str) -> None:
    write_wines(here / "wine.csv")
    done = run("train", *BAD[message], *GOLDEN)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in here.iterdir()] == ["wine.csv"]


def test_names_may_have_capitals(here: Path) -> None:
    options = ("--activation", "ReLU", "--loss", "CCE", "--optimiser", "Adam", "--prune", "OFF")
    assert run("TRAIN", "Iris", *options, "--epochs", "1", *GOLDEN).exit_code == 0
    assert load_run(here / "runs/iris").checkpoint.network.hidden == ("relu",)


@pytest.mark.slow
def test_a_large_table_takes_less_than_a_minute(here: Path) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(100_000, 30)).round(3)
    words = np.where(x[:, :3].sum(axis=1) > 0, "yes", "no")
    import pandas

    frame = pandas.DataFrame(x, columns=[f"c{index}" for index in range(30)])
    frame["answer"] = words
    frame.to_csv("large.csv", index=False)
    began = time.process_time()
    done = run("train", "large.csv", "--target", "answer", *GOLDEN, "--json", "x.json")
    assert done.exit_code == 0, done.stderr
    assert run("predict", "runs/large", "large.csv", "--out", "p.csv").exit_code == 0
    assert time.process_time() - began < 60
    assert json.loads(Path("x.json").read_text())["accuracy"] > 0.97


@pytest.mark.parametrize("option", ["--out", "--json", "--tensorboard"])
@pytest.mark.parametrize("path", ["loop", "loop/x", "a" * 300])
def test_a_path_that_cannot_be_is_refused_in_one_line(here: Path, option: str, path: str) -> None:
    (here / "loop").symlink_to(here / "loop")
    done = run("train", "xor", *GOLDEN, "--epochs", "1", option, path)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize("args", [("train", "a" * 300 + ".csv"), ("predict", "a" * 300, "b")])
def test_a_file_of_a_long_name_is_refused_in_one_line(args: tuple[str, ...]) -> None:
    done = run(*args)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("args", [("tasks",), ("train", "xor", *GOLDEN, "--epochs", "1")])
def test_a_full_standard_output_is_said(here: Path, args: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", "from dualgate.cli import main; main()", *args]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: cannot write the standard output: No space left on device\n"


def test_arrays_are_measured_with_targets_of_their_own(here: Path) -> None:
    x = np.random.default_rng(0).normal(size=(200, 4))
    y = (x[:, 1] > 0).astype(np.int64)
    np.save("x.npy", x)
    np.save("y.npy", y)
    np.save("new.npy", -x)
    np.save("labels.npy", 1 - y)
    assert run("train", "x.npy", "--target", "y.npy", *GOLDEN).exit_code == 0
    unknown = run("evaluate", "runs/x", "new.npy")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "new.npy has no targets; give --target with the file that has them" in unknown.stderr
    measured = run("evaluate", "runs/x", "new.npy", "--target", "labels.npy", "--json")
    assert json.loads(measured.stdout)["accuracy"] > 0.9
    refused = run("train", "x.npy", "--target", "y.npy", "--test", "new.npy", *GOLDEN)
    assert refused.exit_code == 2
    assert "new.npy has no targets" in refused.stderr


def test_a_file_to_measure_need_not_have_columns_that_were_dropped(here: Path) -> None:
    write_wines(here / "wine.csv")
    (here / "quality").write_text("a file with the name of the target")
    done = run("train", "wine.csv", "--target", "quality", "--drop", "sugar", *GOLDEN)
    assert done.exit_code == 0, done.stderr
    lines = [line.split(";") for line in (here / "wine.csv").read_text("cp1252").splitlines()]
    (here / "new.csv").write_text("\n".join(f"{a};{c};{q}" for a, _, c, q in lines), "cp1252")
    measured = run("evaluate", "runs/wine", "new.csv", "--json")
    assert measured.exit_code == 0, measured.stderr
    assert json.loads(measured.stdout)["samples"] == 200

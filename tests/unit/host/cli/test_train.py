# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate train`, on the golden model: what it writes, and what it refuses."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.idx_files import write_images

from dualgate.cli import main
from dualgate.cli.training import pictures as pictures_module
from dualgate.cli.training import run as run_module
from dualgate.devices import open_device
from dualgate.train.checkpoint import load_checkpoint

QUICK = ("train", "digits", "--device", "golden", "--layers", "64,8,10", "--epochs", "1")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def test_a_run_writes_its_files_and_says_where(here: Path) -> None:
    result = run(*QUICK, "--check", "--json", "figures/x.json", "--out", "results")
    assert result.exit_code == 0, result.stderr
    figures = json.loads((here / "figures/x.json").read_text())
    assert figures["parameters"] == 65 * 8 + 9 * 10
    assert figures["batches"] == 45
    assert figures["bit_identical"] is True
    assert figures["layers"] == [64, 8, 10]
    lines = result.stdout.splitlines()
    assert "bit-identical: 45 batches, 610 parameters" in lines
    assert f"held-out accuracy: {figures['accuracy']:.2%}, loss {figures['loss']:.4f}" in lines
    for what, name in (
        ("checkpoint", "checkpoint.npz"),
        ("history", "history.jsonl"),
    ):
        assert f"{what}: results/{name}" in lines
    pictures = [f"results/{name}.png" for name in ("curves", "confusion", "weights")]
    assert f"pictures: {', '.join(pictures)}" in lines
    for name in ("checkpoint.npz", "history.jsonl", "curves.png", "confusion.png", "weights.png"):
        assert (here / "results" / name).stat().st_size
    assert load_checkpoint(here / "results/checkpoint.npz").epoch == 1
    record = json.loads((here / "results/history.jsonl").read_text())
    assert record["held_out_accuracy"] == figures["accuracy"]


def test_the_figures_have_the_agreed_names(here: Path) -> None:
    assert run(*QUICK, "--json", "x.json", "--seed", "3").exit_code == 0
    figures = json.loads((here / "x.json").read_text())
    agreed = (
        "task device layers epochs accuracy loss samples_per_s cycles_per_sample kept_fraction "
        "saturations bit_identical batches parameters"
    )
    assert set(agreed.split()) <= set(figures)
    assert figures["bit_identical"] is None
    assert figures["cycles_per_sample"] is None
    assert figures["seed"] == 3
    assert (here / "runs/digits/checkpoint.npz").exists()


def test_saturations_are_shown() -> None:
    result = run(*QUICK, "--lr", "50")
    assert result.exit_code == 0
    assert "saturations: none" not in result.stdout
    assert "(values " in result.stdout


def test_the_check_follows_the_neurons_of_the_device_string() -> None:
    result = run(*QUICK, "--check", "--device", "golden?neurons=4")
    assert result.exit_code == 0, result.stderr


def test_a_difference_ends_with_status_1(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(spec: str, **options: Any) -> Any:
        device = open_device(spec, **options)
        if spec == "golden?neurons=16":
            read = device.read_velocity
            monkeypatch.setattr(device, "read_velocity", lambda: [v + 1 for v in read()])
        return device

    monkeypatch.setattr(run_module, "open_device", opened)
    result = run(*QUICK, "--check", "--device", "golden?neurons=16", "--json", "x.json")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: not bit-identical: batch 1, velocity of layer 0 at [0,")
    assert list(here.iterdir()) == []


def test_a_run_without_matplotlib_says_so(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = run(*QUICK)
    assert result.exit_code == 0
    assert "no pictures: matplotlib is missing" in result.stdout
    assert not (here / "runs/digits/curves.png").exists()


def test_images_are_read_from_a_directory(here: Path) -> None:
    write_images(here / "data")
    result = run("train", "mnist", "--device", "golden", "--data", "data", "--epochs", "1")
    assert result.exit_code == 0, result.stderr
    assert (here / "runs/mnist/history.jsonl").exists()


@pytest.mark.slow
def test_an_optimiser_brings_its_own_rate(here: Path) -> None:
    for name, rate, momentum in (
        ("adam", 0.001, 0.0),
        ("nesterov", 0.07, 0.9),
        ("sgd", 0.07, 0.0),
        ("momentum", 0.07, 0.9),
    ):
        result = run(*QUICK, "--batch", "200", "--optimiser", name, "--json", "x.json")
        assert result.exit_code == 0, result.stderr
        figures = json.loads((here / "x.json").read_text())
        assert (figures["optimiser"], figures["lr"], figures["momentum"]) == (name, rate, momentum)
    assert run(*QUICK, "--optimiser", "adam", "--lr", "0.5", "--json", "x.json").exit_code == 0
    assert json.loads((here / "x.json").read_text())["lr"] == 0.5


def test_every_way_of_training_reaches_the_recipe(here: Path) -> None:
    options = ("--schedule", "staircase:0.5:2", "--l1", "1e-5", "--l2", "1e-4", "--dropout", "0.25")
    more = ("--patience", "2", "--initialiser", "normal", "--class-weights", "1,1,1,1,1,1,1,1,1,2")
    assert run(*QUICK, *options, *more, "--shift", "1", "--batch", "200", "--check").exit_code == 0
    recipe = load_checkpoint(here / "runs/digits/checkpoint.npz").recipe
    assert (recipe.schedule, recipe.l1, recipe.l2) == ("staircase:0.5:2", 1e-5, 1e-4)
    assert (recipe.shift, recipe.patience, recipe.initialiser) == (1, 2, "normal")
    assert recipe.dropout == 0.25
    assert recipe.class_weights == (1.0,) * 9 + (2.0,)


def test_a_regression_has_its_own_figures(here: Path) -> None:
    result = run("train", "linear", "--device", "golden", "--epochs", "3", "--json", "x.json")
    assert result.exit_code == 0, result.stderr
    figures = json.loads((here / "x.json").read_text())
    lines = result.stdout.splitlines()
    assert (
        f"held-out loss: {figures['loss']:.4f}, MSE {figures['mse']:.4g}, R2 {figures['r2']:.4f}"
        in lines
    )
    assert f"goal of the task: r2 >= 0.3, {'reached' if figures['reached'] else 'missed'}" in lines
    assert "pictures: runs/linear/curves.png" in lines
    assert figures["accuracy"] is None


@pytest.mark.slow
def test_a_run_goes_on_with_what_the_checkpoint_has(here: Path) -> None:
    options = ("--batch", "100", "--lr", "0.05", "--seed", "4")
    assert run(*QUICK, *options, "--epochs", "2", "--out", "whole").exit_code == 0
    assert run(*QUICK, *options, "--out", "half").exit_code == 0
    result = run(*QUICK, "--epochs", "2", "--out", "half", "--resume")
    assert result.exit_code == 0, result.stderr
    whole, half = (load_checkpoint(here / name / "checkpoint.npz") for name in ("whole", "half"))
    assert half.recipe == whole.recipe
    assert all((a == b).all() for a, b in zip(half.weights, whole.weights, strict=True))
    assert len((here / "half/history.jsonl").read_text().splitlines()) == 2
    other = run(*QUICK, "--out", "half", "--resume", "--lr", "0.1")
    assert other.exit_code == 2
    assert "the checkpoint is of another run: its lr is 0.05, here 0.1" in other.stderr
    again = run(*QUICK, "--epochs", "2", "--out", "half", "--resume")
    assert again.exit_code == 0
    assert again.stdout.splitlines()[0].startswith("held-out accuracy")


BAD = {
    "layers '64,x': give": ("--layers", "64,x"),
    "layers 64: digits has 64 inputs and 10 outputs": ("--layers", "64"),
    "layers 63,8,10: digits has 64 inputs": ("--layers", "63,8,10"),
    "layers 64,8,9: digits has 64 inputs": ("--layers", "64,8,9"),
    "layers 64,0,10: give": ("--layers", "64,0,10"),
    "does not fit: rows has 32768, needed": ("--layers", "64,100000,10"),
    "does not fit: rows has 9, needed": ("--device", "golden?rows=9"),
    "unknown activation 'wave'": ("--activation", "wave"),
    "hidden units cannot have the activation step": ("--activation", "step"),
    "2 activations for 1 hidden": ("--activation", "tanh,relu"),
    "unknown loss 'hinge'": ("--loss", "hinge"),
    "0 epochs": ("--epochs", "0"),
    "'many' is not a valid integer": ("--epochs", "many"),
    "batch of 0": ("--batch", "0"),
    "batch of 16385": ("--batch", "16385"),
    "learning rate nan": ("--lr", "nan"),
    "learning rate -1.0": ("--lr", "-1"),
    "learning rate inf": ("--lr", "inf"),
    "momentum 1.0": ("--momentum", "1"),
    "prune '1/3'": ("--prune", "1/3"),
    "seed -1": ("--seed", "-1"),
    "unknown optimiser 'magic'; choose sgd": ("--optimiser", "magic"),
    "momentum 0.5: adam has none": ("--optimiser", "adam", "--momentum", "0.5"),
    "schedule 'falling': give constant or NAME": ("--schedule", "falling"),
    "schedule 'staircase:0.5:-1'": ("--schedule", "staircase:0.5:-1"),
    "L2 penalty -1.0": ("--l2", "-1"),
    "dropout 1.0: give a share": ("--dropout", "1"),
    "dropout leaves out hidden units": ("--dropout", "0.5", "--layers", "64,10"),
    "class weights 'a': give numbers": ("--class-weights", "a"),
    "2 class weights: give 10": ("--class-weights", "1,2"),
    "shift -1: give a whole number of 0 or more": ("--shift", "-1"),
    "patience -1: give a whole number of 0 or more": ("--patience", "-1"),
    "unknown initialiser 'zeros'": ("--initialiser", "zeros"),
    "runs/digits holds no run to go on with": ("--resume",),
    "neurons must be from 1": ("--neurons", "0"),
    "unknown device 'abacus'; choose golden": ("--device", "abacus"),
    "device golden": ("--device", "golden?neurons=two"),
    "unexpected keyword argument 'colour'": ("--device", "golden?colour=3"),
    "the golden model has no waveform": ("--trace", "x.vcd"),
    "cannot write folder: it is not a file": ("--json", "folder"),
    "old/checkpoint.npz: ": ("--out", "old"),
    "No such option": ("--fast",),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_options_are_refused_in_one_line(here: Path, message: str) -> None:
    (here / "old").write_text("old")
    (here / "folder").mkdir()
    result = run(*QUICK, *BAD[message])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert sorted(child.name for child in here.iterdir()) == ["folder", "old"]
    assert (here / "old").read_text() == "old"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ("letters",),
            "unknown task 'letters'; choose xor, linear, logistic, perceptron, adaline,",
        ),
        (("mnist",), "MNIST: no directory given; give --data DIR"),
        (("fashion-mnist", "--data", "nowhere"), "Fashion-MNIST: no directory nowhere"),
        (("mnist", "--data", "."), "there is no train-images-idx3-ubyte[.gz] in ."),
    ],
)
def test_bad_tasks_and_data_are_refused(here: Path, args: tuple[str, ...], message: str) -> None:
    result = run("train", *args, "--device", "golden")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {message}")
    assert list(here.iterdir()) == []


def test_nothing_is_overwritten_by_a_run_that_is_refused(here: Path) -> None:
    assert run(*QUICK, "--json", "x.json").exit_code == 0
    files = [path for path in here.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    assert len(before) == 7
    for more in (("--lr", "0"), ("--device", "golden?rows=9"), ()):
        where = ("--out", "runs/digits", "--overwrite") if more else ("--out", "runs/digits")
        assert run(*QUICK, "--json", "x.json", *where, *more).exit_code == 2
    assert {path: path.read_bytes() for path in files} == before


def test_a_device_whose_package_is_missing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dualgate_sim.golden.device", None)
    result = run(*QUICK)
    assert result.exit_code == 2
    assert result.stderr == (
        "error: device golden needs dualgate_sim.golden.device, which is missing; "
        "see dualgate doctor\n"
    )


def test_a_picture_that_cannot_be_drawn_costs_only_a_note(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(pictures_module, "draw_curves", fail)
    result = run(*QUICK, "--json", "x.json")
    assert result.exit_code == 0, result.stderr
    assert "note: not all pictures are drawn: No space left on device" in result.stdout
    assert json.loads((here / "x.json").read_text())["accuracy"] > 0

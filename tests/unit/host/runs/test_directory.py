# SPDX-License-Identifier: BSD-2-Clause

"""Directories of runs: none is overwritten, and each has one writer."""

from pathlib import Path

import pytest
from support.small_runs import NETWORK, RECIPE, blobs, golden

from dualgate.contract.errors import InputError
from dualgate.runs import Description, RunDirectory
from dualgate.train.checkpoint import Checkpoint
from dualgate.train.trainer import Trainer


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def state() -> Checkpoint:
    trainer = Trainer(NETWORK, RECIPE, blobs())
    with golden() as device:
        next(trainer.run(device))
        return trainer.checkpoint(device)


def choose(given: str | None = None, resume: bool = False, overwrite: bool = False) -> str:
    path = None if given is None else Path(given)
    return str(RunDirectory.choose("task", path, resume, overwrite).path)


def occupy(path: str, state: Checkpoint) -> None:
    RunDirectory(Path(path)).begin(Description("task", "golden"), state)


def test_each_run_without_a_name_has_a_directory_of_its_own(state: Checkpoint) -> None:
    for expected in ("runs/task", "runs/task-2", "runs/task-3"):
        assert choose() == expected
        occupy(expected, state)
    assert choose(resume=True) == "runs/task-3"


def test_a_named_directory_that_holds_a_run_is_refused(state: Checkpoint) -> None:
    assert choose("mine") == "mine"
    occupy("mine", state)
    with pytest.raises(InputError, match=r"^mine holds another run; .* --resume, .* --overwrite"):
        choose("mine")
    assert choose("mine", resume=True) == choose("mine", overwrite=True) == "mine"


def test_there_must_be_a_run_to_go_on_with() -> None:
    for given in (None, "mine"):
        with pytest.raises(InputError, match=r"holds no run to go on with; leave out --resume$"):
            choose(given, resume=True)


def test_a_directory_has_one_writer_at_a_time() -> None:
    one, other = RunDirectory(Path("mine")), RunDirectory(Path("mine"))
    with one.writing():
        assert other.holds_run
        with pytest.raises(InputError, match=r"^another process writes the run in mine; wait"):
            other.writing().__enter__()
        with pytest.raises(InputError, match=r"^mine holds another run"):
            choose("mine")
    assert not other.holds_run
    assert not Path("mine").exists()


def test_a_run_that_writes_nothing_leaves_no_directory() -> None:
    with RunDirectory(Path("a/b/c")).writing():
        assert Path("a/b/c").is_dir()
    assert not Path("a").exists()
    Path("kept").mkdir()
    with RunDirectory(Path("kept")).writing():
        pass
    assert Path("kept").is_dir()


def test_the_first_checkpoint_removes_what_another_run_left(state: Checkpoint) -> None:
    directory = RunDirectory(Path("mine"))
    occupy("mine", state)
    directory.report.write_text("old")
    Path("mine/notes.txt").write_text("mine")
    occupy("mine", state)
    left = sorted(path.name for path in Path("mine").iterdir())
    assert left == ["checkpoint.npz", "notes.txt", "run.json"]


def test_a_lock_that_a_killed_process_left_is_no_lock() -> None:
    Path("mine").mkdir()
    Path("mine/.lock").write_text("")
    with RunDirectory(Path("mine")).writing():
        pass


def test_the_directory_of_a_run_that_was_killed_at_once_is_used_again() -> None:
    killed = Path("runs/digits")
    killed.mkdir(parents=True)
    (killed / ".lock").touch()
    (killed / "run.json").touch()
    chosen = RunDirectory.choose("digits", None, resume=False, overwrite=False)
    assert chosen.path == killed
    with chosen.writing():
        pass
    assert [child.name for child in killed.iterdir()] == ["run.json"]

# SPDX-License-Identifier: BSD-2-Clause

"""Event files, read back by TensorBoard's own reader."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dualgate.contract.errors import InputError, MissingToolError
from dualgate.report.tensorboard import EventWriter
from dualgate.train.record import Record

RECORD = Record(1, 0.9, 0.5, 0.8, 0.625, 1000.0, 12.5, 0.25, 3)
NEXT = replace(RECORD, epoch=2, loss=0.5, held_out_accuracy=0.75)


def read(directory: Path) -> Any:
    pytest.importorskip("tensorboardX")
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = loader.EventAccumulator(str(directory))
    events.Reload()
    return events


def curve(directory: Path, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in read(directory).Scalars(tag)]


def test_tensorboard_reads_every_figure_of_each_epoch(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    with EventWriter(tmp_path / "new" / "run") as events:
        events.epoch(RECORD)
        events.epoch(NEXT)
    here = tmp_path / "new" / "run"
    assert curve(here, "loss/train") == [(1, pytest.approx(0.9)), (2, 0.5)]
    assert curve(here, "accuracy/held_out") == [(1, 0.625), (2, 0.75)]
    assert curve(here, "cost/cycles_per_sample") == [(1, 12.5), (2, 12.5)]
    assert curve(here, "cost/tangents_kept") == [(1, 0.25), (2, 0.25)]
    assert curve(here, "clipped") == [(1, 3.0), (2, 3.0)]


def test_an_epoch_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    with EventWriter(tmp_path) as events:
        events.epoch(RECORD)
        assert curve(tmp_path, "accuracy/train") == [(1, 0.5)]


def test_what_a_run_does_not_have_is_no_curve(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    bare = replace(RECORD, accuracy=None, held_out_accuracy=None, cycles_per_sample=None)
    with EventWriter(tmp_path) as events:
        events.epoch(bare)
    tags = read(tmp_path).Tags()["scalars"]
    assert "loss/train" in tags
    assert not {"accuracy/train", "accuracy/held_out", "cost/cycles_per_sample"} & set(tags)


def test_a_resumed_run_continues_its_curves(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    with EventWriter(tmp_path) as events:
        events.epoch(RECORD)
        events.epoch(replace(NEXT, loss=0.7))
    for directory in (tmp_path, tmp_path / "another"):
        with EventWriter(directory, [RECORD]) as events:
            events.epoch(NEXT)
        assert curve(directory, "loss/train") == [(1, pytest.approx(0.9)), (2, 0.5)]


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"^cannot write .*; choose another --tensorboard$"):
        EventWriter(tmp_path / "file" / "run")


def test_without_tensorboardx_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX.event_file_writer", None)
    with pytest.raises(MissingToolError, match=r"pip install dualgate\[tensorboard\]$"):
        EventWriter(tmp_path)

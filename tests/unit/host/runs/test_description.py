# SPDX-License-Identifier: BSD-2-Clause

"""Descriptions of runs: read as written, and checked for their types."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import examples

from dualgate.contract.errors import CheckpointError
from dualgate.data.answers import Answers
from dualgate.data.own import OwnData
from dualgate.data.preparation import Category, Number, Preparation
from dualgate.runs.description import Description, read_description

FULL = Description(
    "wine",
    "golden",
    3,
    None,
    OwnData(Path("/data/wine.csv"), "quality", ("id",), ("colour",), "0.3"),
    Preparation(
        (Number("acid", 0.1, 0.25, 1 / 3),), (Category("colour", "red", ("red", "white")),)
    ),
    Answers(("quality",), ("bad", "good")),
)


@pytest.mark.parametrize("about", [FULL, Description("digits", "sim", data=Path("/data"))])
def test_a_description_is_read_as_it_was_written(about: Description, tmp_path: Path) -> None:
    about.write(tmp_path / "run.json")
    assert read_description(tmp_path / "run.json") == about


def test_the_command_of_a_run_names_its_file_and_options() -> None:
    assert FULL.source == "/data/wine.csv"
    assert FULL.options[:4] == ("--target", "quality", "--drop", "id")
    assert Description("digits", "sim", data=Path("/d")).options == ("--data", "/d")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 1.5),
        ("seed", "3"),
        ("name", 7),
        ("version", 2),
        ("preparation", {"numbers": [{"column": "a", "scale": "1"}]}),
        ("answers", {"classes": [1, 2]}),
        ("own", {"path": 5}),
    ],
)
def test_a_field_of_another_type_is_refused(key: str, value: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    FULL.write(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(CheckpointError, match=r"run\.json (is damaged|has version)"):
        read_description(path)


@given(st.binary(max_size=60) | st.text().map(str.encode) | st.just(b"[" * 20_000))
@examples(60)
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("run") / "run.json"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="is damaged"):
        read_description(path)


def test_infinity_is_no_scale(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    FULL.write(path)
    for number in ("Infinity", "NaN", "1e999"):
        path.write_text(path.read_text().replace("0.25", number))
        with pytest.raises(CheckpointError, match="is damaged"):
            read_description(path)
        FULL.write(path)

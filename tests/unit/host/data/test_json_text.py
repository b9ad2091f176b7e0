# SPDX-License-Identifier: BSD-2-Clause

"""JSON that is written: what any reader of RFC 8259 understands."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dualgate.data.json_text import json_text, write_json


@dataclass(frozen=True)
class Figure:
    loss: float
    names: tuple[str, ...] = ()
    inner: "Figure | None" = None


def strict(text: str) -> Any:
    """Read JSON without the constants that are none."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float32(np.nan)])
def test_a_number_that_json_lacks_is_null(number: Any) -> None:
    figures = {"a": Figure(number, inner=Figure(number)), "b": [number, {"c": (number, 1.5)}]}
    empty = {"loss": None, "names": [], "inner": None}
    assert strict(json_text(figures)) == {
        "a": {**empty, "inner": empty},
        "b": [None, {"c": [None, 1.5]}],
    }


def test_numbers_of_numpy_paths_and_names_are_written() -> None:
    value = {3: np.int64(3), "x": np.arange(4).reshape(2, 2), "p": Path("/a"), "t": np.bool_(True)}
    assert strict(json_text(value)) == {"3": 3, "x": [[0, 1], [2, 3]], "p": "/a", "t": True}
    text = json_text(["größe", "\ud800"])
    assert text.isascii()
    assert strict(text) == ["größe", "\ud800"]


def test_a_file_of_json_ends_with_a_line_break(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", Figure(0.1, ("a",)))
    text = (tmp_path / "x.json").read_text()
    assert text.endswith("}\n")
    assert strict(text) == {"loss": 0.1, "names": ["a"], "inner": None}

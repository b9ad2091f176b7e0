# SPDX-License-Identifier: BSD-2-Clause

"""The figures of a build."""

import json
from typing import Any

import pytest
from support.build_results import result

from dualgate.contract.errors import InputError
from dualgate_hw.build.result import Result


def test_a_result_survives_its_file() -> None:
    assert Result.from_json(result().to_json()) == result()
    assert (result().median_mhz, result().worst.seed, result().best.seed) == (85.0, 2, 1)


@pytest.mark.parametrize(
    "change",
    [{"clock_mhz": "25"}, {"timing": [{"seed": 1.5}]}, {"engine": {"neurons": None}}, {"board": 1}],
)
def test_a_result_of_other_types_is_one_line(change: dict[str, Any]) -> None:
    text = json.dumps({**json.loads(result().to_json()), **change})
    with pytest.raises(
        InputError, match=r"^result\.json of the build is damaged: .*; build again$"
    ):
        Result.from_json(text)


@pytest.mark.parametrize("text", [b"", b"\xff", b"[" * 20_000, b"{}"])
def test_a_text_that_is_no_result_is_one_line(text: bytes) -> None:
    with pytest.raises(InputError, match=r"^result\.json of the build is damaged: [^\n]*$"):
        Result.from_json(text)

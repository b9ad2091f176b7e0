# SPDX-License-Identifier: BSD-2-Clause

"""The figures of a build."""

from support.build_results import result

from dualgate_hw.build.result import Result


def test_a_result_survives_its_file() -> None:
    assert Result.from_json(result().to_json()) == result()
    assert (result().median_mhz, result().worst.seed, result().best.seed) == (85.0, 2, 1)

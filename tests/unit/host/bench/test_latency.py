# SPDX-License-Identifier: BSD-2-Clause

"""The latency of a batch of one sample, as measured, as predicted and as printed."""

import json
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.small_engines import engine

from dualgate.bench import latency
from dualgate.bench.latency import LatencyRow, measure_latency
from dualgate.cli import bench as bench_module
from dualgate.cli import main
from dualgate.contract.network import Network

SMALL = ((Network((1, 9, 1), "tanh", "mse"), 1.0), (Network((40, 8, 5), "tanh"), 0.25))
LIMITS = {name: value for name, value in vars(engine("n4")).items() if name != "neurons"}


@pytest.mark.slow
def test_every_sample_takes_the_predicted_cycles(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(latency, "NETWORKS", SMALL)
    one, sparse = measure_latency(4, 5, **LIMITS)
    for row in (one, sparse):
        assert row.exact
        assert row.measured == row.predicted > row.batch_end
    # The word of the header, the check, the bias, and a word each for target and input.
    assert one.loading == 5
    # Of 41 rows, some 10 inputs and the bias touch theirs in two groups, and 9 in two groups more.
    assert 2 * (1 + 9) < sparse.batch_end < 2 * (20 + 9)
    monkeypatch.setattr(bench_module, "measure_latency", partial(measure_latency, **LIMITS))
    path = tmp_path / "latency.json"
    result = CliRunner().invoke(main, ["bench", "--latency", "--neurons", "4", "--json", str(path)])
    assert result.exit_code == 0, result.output
    figures = json.loads(path.read_text())
    assert (figures["neurons"], len(figures["latency"])) == (4, 2)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("cycles of a batch of one sample, N = 4")
    for row, line in zip(figures["latency"], lines[2:4], strict=True):
        assert LatencyRow(**row).exact
        cycles = f"{row['measured']:,.1f}"
        assert line.split()[:5] == [
            row["network"],
            row["loss"],
            f"{row['loading']:.1f}",
            cycles,
            cycles,
        ]
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize(
    ("option", "value"),
    [("task", "digits"), ("samples", "7"), ("layers", "64,10"), ("batch", "1"), ("data", ".")],
)
def test_an_option_without_effect_is_refused(option: str, value: str) -> None:
    result = CliRunner().invoke(main, ["bench", "--latency", f"--{option}", value])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"error: --latency has networks and samples of its own; leave --{option} out\n"
    )

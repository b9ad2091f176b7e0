# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate bench`: cycles of several engines on real samples, beside those of backprop."""

from itertools import chain
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ..bench import floating_speed, golden_speed, speed
from ..bench.latency import LatencyRow, measure_latency
from ..bench.speed import SpeedRow
from ..bench.table import Row, run
from ..bench.torch_speed import torch_samples_per_s
from ..bench.workload import MAX_BATCH, Workload, prepare
from ..contract.engine import EngineParameters
from ..contract.errors import InputError, MissingToolError
from ..data.files import check_target
from ..data.json_text import write_json
from ..tasks import find_task

FILE = click.Path(path_type=Path)

LATENCY_SAMPLES = 20

FLOAT_BATCH = 1000
"""Samples in a floating-point batch; with both methods a larger batch takes less time a sample."""

HEADER = (
    f"{'':25}{'cycles a sample':>20}{'backprop':>15}{'':>7}{'MAC lanes busy':>22}\n"
    f"{'engine':13}{'prune':6}{'mult.':>6}{'predicted':>10}{'measured':>10}{'dense':>7}"
    f"{'sparse':>8}{'ratio':>7}{'value':>7}{'tangent':>8}{'update':>7}{'samples/s':>11}"
)

LATENCY_HEADER = (
    "cycles of a batch of one sample, N = {}, three lanes, prune 1/4, no momentum\n"
    f"{'network':16}{'loss':6}{'loading':>9}{'predicted':>11}{'measured':>10}{'weight step':>13}"
)

LATENCY_NOTES = """\
loading: from the first word of a sample's command until the sample enters the value lane, with a
  word in every cycle. predicted, measured: from there until the last weight is written, by the
  cycle model and by the counter; 3 cycles are not counted, in which a waiting APPLY begins.
weight step: of these, the visits to touched rows. All figures: means of {} samples."""

NOTES = """\
cycles: mean a sample, the batch's end included.
dense: backprop with every multiplication, on multipliers that are busy in every cycle.
sparse: backprop that skips zeros, on the same lanes, never waiting: rows of values, of updates and
  of transposed products (of three lanes, those of the slowest), and the batch's end.
ratio: measured to sparse. busy: share of the cycles; lanes of a shared array add up.
samples/s: in simulation, on this machine."""


@click.command()
@click.option("--task", default="digits", show_default=True, help="A task, see dualgate tasks.")
@click.option("--data", type=FILE, metavar="DIR", help="Directory of the task's IDX files.")
@click.option("--json", type=FILE, metavar="FILE", help="Write every figure to FILE.")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Samples to measure on.",
)
@click.option("--layers", metavar="64,32,10", help="Units of the input and of each layer.")
@click.option("--batch", type=click.IntRange(1, MAX_BATCH), help="Most samples in a batch.")
@click.option(
    "--neurons",
    type=int,
    default=EngineParameters().neurons,
    show_default=True,
    help="Lanes of each engine, a power of two.",
)
@click.option(
    "--latency",
    is_flag=True,
    help="Measure batches of one sample instead, on four networks and samples made for it.",
)
@click.pass_context
def bench(context: click.Context, /, task: str, **options: Any) -> None:
    """Measure cycles a sample on the simulated hardware, engine by engine.

    Predictions of the cycle model and yardsticks of backpropagation stand beside the figures.

    The network is first trained for an epoch on the golden model, so that its nonzeros are those
    of a network in training; then every engine trains on the same samples.
    """
    path: Path | None = options["json"]
    if path is not None:
        check_target(path)
    if options["latency"]:
        _check_latency(context)
        _latency(options["neurons"], path)
        return
    chosen = find_task(task)
    network = chosen.network(task, options["layers"])
    EngineParameters(options["neurons"])
    work = prepare(chosen, network, options["data"], options["samples"], options["batch"])
    click.echo(_title(task, work))
    click.echo(HEADER)
    rows = []
    for row in run(work, options["neurons"]):
        click.echo(_line(row))
        rows.append(row)
    click.echo(NOTES)
    torch, word = _torch(work)
    click.echo(word)
    software = _software(work) if torch else []
    if path is not None:
        result = {
            "task": task,
            "layers": network.sizes,
            "activation": network.hidden,
            "objective": network.loss,
            "parameters": network.parameters,
            "samples": len(work.x),
            "batch": work.recipe.batch,
            "warm_up_samples": work.warm_up,
            "rows": rows,
            "torch": torch,
            "software": software,
        }
        write_json(path, result)


def _check_latency(context: click.Context) -> None:
    """Refuse options that would have no effect beside ``--latency``."""
    for name in ("task", "data", "samples", "layers", "batch"):
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise InputError(f"--latency has networks and samples of its own; leave --{name} out")


def _latency(neurons: int, path: Path | None) -> None:
    """Measure batches of one sample."""
    EngineParameters(neurons)
    click.echo(LATENCY_HEADER.format(neurons))
    rows = []
    for row in measure_latency(neurons, LATENCY_SAMPLES):
        click.echo(_latency_line(row))
        rows.append(row)
    click.echo(LATENCY_NOTES.format(LATENCY_SAMPLES))
    if path is not None:
        write_json(path, {"neurons": neurons, "latency": rows})


def _latency_line(row: LatencyRow) -> str:
    return (
        f"{row.network:16}{row.loss:6}{row.loading:9,.1f}{row.predicted:11,.1f}"
        f"{row.measured:10,.1f}{row.batch_end:13,.1f}"
    )


def _title(task: str, work: Workload) -> str:
    sizes = "-".join(map(str, work.network.sizes))
    hidden = ", ".join(dict.fromkeys(work.network.hidden)) or "no hidden layer"
    return (
        f"{task} {sizes}, {hidden}, {work.network.loss}: {len(work.x)} samples in batches of "
        f"{work.recipe.batch}, after an epoch of {work.warm_up:,} samples on the golden model"
    )


def _line(row: Row) -> str:
    busy = row.utilisation
    return (
        f"{row.engine:13}{row.prune:6}{row.multipliers:6}{row.predicted:10,.1f}"
        f"{row.measured:10,.1f}{row.dense:7,.0f}{row.sparse:8,.1f}{row.ratio:7.2f}"
        f"{busy['value']:7.0%}{busy['tangent']:8.0%}{busy['update']:7.0%}{row.samples_per_s:11,.0f}"
    )


def _torch(work: Workload) -> tuple[dict[str, Any] | None, str]:
    """Measure PyTorch, if it is installed; return its speed for JSON, and a line that states it."""
    recipe, samples = work.recipe, work.samples
    try:
        version, rate = torch_samples_per_s(
            work.network, samples.x, samples.target, recipe.batch, recipe.lr, recipe.momentum
        )
    except MissingToolError as error:
        return None, f"PyTorch is left out: {error}"
    words = (
        f"PyTorch {version}, one thread, batch {recipe.batch}: {rate:,.0f} samples/s of CPU time"
    )
    return {"version": version, "samples_per_s": rate}, words


def _software(work: Workload) -> list[SpeedRow]:
    """Measure the golden model and forward mode in floating point, beside PyTorch."""
    recipe, network, samples = work.recipe, work.network, work.samples
    batch = min(FLOAT_BATCH, len(work.x))
    click.echo("The golden model and forward mode in float32 beside it, by CPU time of one thread:")
    click.echo(speed.HEADER)
    rows = []
    try:
        for row in chain(
            golden_speed.measure(network, samples, recipe),
            floating_speed.measure(network, samples, batch, recipe.lr, recipe.momentum),
        ):
            click.echo(speed.line(row))
            rows.append(row)
    except MissingToolError as error:
        click.echo(f"It is left out: {error}")
    return rows

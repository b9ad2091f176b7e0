# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate train`: train a task, or a file of one's own, on a device."""

from pathlib import Path
from typing import Any

import click
import cloup

from ..contract.engine import EngineParameters
from ..data.bounds import MOST_BYTES, OPTION
from ..optim.optimisers import OPTIMISERS
from .sizes import HELP, Size
from .tracing import waveform_options
from .training.options import Options
from .training.run import run

FILE = click.Path(path_type=Path)


class Name(click.ParamType[str]):
    """Names, which may be written with capitals."""

    name = "NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text in small letters."""
        return str(value).lower()


NAME = Name()

DATA = cloup.option_group(
    "Data",
    cloup.option(
        "--target",
        metavar="COLUMN",
        help="Column of a table that is to be predicted; columns, with commas between; the array "
        "of a .npz; or the file of targets beside a .npy.",
    ),
    cloup.option("--drop", metavar="COLUMN,...", help="Columns of a table that are not used."),
    cloup.option(
        "--categorical",
        metavar="COLUMN,...",
        help="Columns of a table that hold categories, though they look like numbers.",
    ),
    cloup.option(
        "--test",
        metavar="FILE|SHARE",
        help="Held-out samples: a file, or a share of the samples.  [default: 0.2]",
    ),
    cloup.option(
        "--data",
        type=FILE,
        metavar="DIR",
        help="Directory of a task's IDX files, compressed or not; dualgate tasks names the tasks "
        "that need it.",
    ),
    cloup.option(
        "--class-weights", metavar="1,2,...", help="How much the samples of each class count."
    ),
    cloup.option(
        "--shift",
        type=int,
        metavar="N",
        help="Move images by up to N pixels, drawn anew in every epoch.  [default: 0]",
    ),
    cloup.option(OPTION, "most", type=Size(), default=MOST_BYTES, show_default="1.1GB", help=HELP),
)

NETWORK = cloup.option_group(
    "Network  [defaults: the task's, or chosen by the data]",
    cloup.option("--layers", metavar="64,32,10", help="Units of the input and of each layer."),
    cloup.option(
        "--activation",
        type=NAME,
        metavar="NAME[,NAME...]",
        help="identity, relu, leaky_relu, sigmoid or tanh; one for all hidden layers, or one for "
        "each.",
    ),
    cloup.option(
        "--loss",
        type=NAME,
        metavar="NAME",
        help="Also decides the outputs: mse or msle (identity), sigmoid-mse or bce (sigmoid), cce "
        "(softmax), perceptron (step).",
    ),
    cloup.option(
        "--initialiser",
        type=NAME,
        metavar="NAME",
        help="kaiming, glorot or normal; by default the one that suits the activations.",
    ),
    cloup.option(
        "--weights",
        type=FILE,
        metavar="FILE",
        help="First weights, and the network with them: .onnx, a checkpoint, or a state dict "
        "(.safetensors, .pt, .npz).",
    ),
    cloup.option(
        "--freeze", metavar="0,1,...", help="Layers, counted from 0, whose weights do not change."
    ),
)

RECIPE = cloup.option_group(
    "Recipe  [defaults: the task's, or chosen by the data]",
    cloup.option("--epochs", type=int, help="Passes over the training samples."),
    cloup.option("--batch", type=int, help="Most samples in a batch."),
    cloup.option(
        "--optimiser",
        type=NAME,
        metavar="NAME",
        help=f"{', '.join(OPTIMISERS)}. sgd and momentum run on chip; for the others the device "
        "returns the gradient of each batch and takes new weights.",
    ),
    cloup.option("--lr", type=float, help="Learning rate at the start."),
    cloup.option(
        "--schedule",
        type=NAME,
        metavar="NAME:FACTOR[:EPOCHS]",
        help="How the rate falls: inverse-time, inverse-root, exponential or staircase.",
    ),
    cloup.option("--momentum", type=float, help="Share of the velocity that each batch keeps."),
    cloup.option(
        "--prune",
        type=NAME,
        metavar="off|1/2|0.25|...",
        help="Drop entries of a derivative vector below about this share of its largest.",
    ),
    cloup.option(
        "--l1",
        type=float,
        help="Penalty on the sum of magnitudes of the weights; the host adds it to the gradient.",
    ),
    cloup.option(
        "--l2",
        type=float,
        help="Penalty on half the sum of squares of the weights; the host adds it to the gradient.",
    ),
    cloup.option(
        "--dropout",
        type=float,
        metavar="P",
        help="Leave each hidden unit out of each training sample with probability P; it then costs "
        "nothing. For inference the weights are scaled by 1 - P.",
    ),
    cloup.option(
        "--patience",
        type=int,
        metavar="N",
        help="End after N epochs without a lower held-out loss, and restore the best weights.  "
        "[default: no early end]",
    ),
    cloup.option(
        "--seed",
        type=int,
        help="Seed of first weights, order of samples, shifts, dropout, and of the choice of "
        "held-out samples of a file.  [default: 0]",
    ),
)

DEVICE = cloup.option_group(
    "Device",
    cloup.option(
        "--device",
        default="sim",
        show_default=True,
        help="golden, sim, serial:PORT or pcie:ADDRESS; options follow as ?key=value&...",
    ),
    cloup.option(
        "--neurons",
        type=int,
        metavar="N",
        help="Lanes of the engine, a power of two; it changes the speed, never a result.  "
        f"[default: {EngineParameters().neurons}]",
    ),
    cloup.option(
        "--check",
        is_flag=True,
        help="Run the golden model beside the device. Compare the outputs of every sample and, "
        "after every batch, all weights, velocities and counters but cycles. The first difference "
        "ends the run with status 1.",
    ),
)

RUN = cloup.option_group(
    "Run",
    cloup.option(
        "--out",
        type=FILE,
        metavar="DIR",
        help="Directory for checkpoint, history and pictures; one that holds a run is refused.  "
        "[default: runs/TASK, or the first of runs/TASK-2, ... that is free]",
    ),
    cloup.option("--overwrite", is_flag=True, help="Replace the run that --out holds."),
    cloup.option(
        "--resume",
        is_flag=True,
        help="Continue from the checkpoint in --out, with its settings, to the bits of a run that "
        "was never interrupted.  [default of --out: the last run of TASK]",
    ),
    cloup.option(
        "--checkpoint-every",
        type=click.IntRange(1),
        metavar="BATCHES",
        help="Write the checkpoint after every BATCHES batches, too, not only after every epoch.",
    ),
    cloup.option("--json", type=FILE, metavar="FILE", help="Write every figure shown to FILE."),
    cloup.option(
        "--tensorboard",
        type=FILE,
        metavar="DIR",
        help="Write the figures of each epoch to DIR for TensorBoard, too.",
    ),
)


@cloup.command()
@click.argument("task", metavar="TASK|FILE")
@DATA
@NETWORK
@RECIPE
@DEVICE
@RUN
@waveform_options
def train(task: str, **options: Any) -> None:
    """Train on a task or on a file of your own.

    `dualgate tasks` lists the tasks. A FILE is a table (CSV with any usual delimiter, encoding and
    decimal mark, or Parquet), which needs --target; arrays of numpy (.npz, or .npy with --target
    FILE); or a directory of IDX files. Columns are prepared by what they hold, and whether the
    targets are classes or numbers is seen from them, and said.

    Options that are not given have the task's defaults or, with --resume, the values of the
    checkpoint. Unusable input ends with status 2 and one line that says what is wrong.
    """
    run(task, Options(**options))

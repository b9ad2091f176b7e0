# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate export`: the network of a run, in a file for another program."""

from dataclasses import replace
from pathlib import Path

import click

from ..contract.errors import InputError
from ..exchange import Model, write_model
from ..exchange.names import shown
from ..runs import RunDirectory, load_run
from ..train.checkpoint import load_checkpoint
from .sizes import file_size_option

CHECKPOINT = "checkpoint.npz"
PATH = click.Path(path_type=Path)


@click.command()
@click.argument("run", type=PATH)
@click.argument("file", type=PATH)
@file_size_option
def export(run: Path, file: Path, most: int) -> None:
    """Write the network of RUN to FILE, in the format of its suffix.

    RUN is the directory of a run, or a checkpoint. FILE ends in .onnx (float32), in .safetensors or
    .pt (a state dict of PyTorch in float32), or in .h (a C header with integer weights and a
    function that gives the answers of a device, to the bit). A file that exists is replaced.

    The weights are those that answer: with dropout, the ones scaled down for inference. The network
    takes inputs as the run prepared them, which `run.json` in RUN describes.
    """
    model = read_run(run, most)
    write_model(file, model)
    click.echo(f"written: {file} ({'-'.join(map(str, model.network.sizes))})")
    described = RunDirectory(run).description
    if run.is_dir() and described.exists():
        click.echo(f"inputs: prepared as {described} says (preparation: offset, scale, words)")


def read_run(run: Path, most: int) -> Model:
    """Read the network of a run, with the weights that answer.

    Parameters
    ----------
    run : Path
    most : int
        The bound of `dualgate.data.bounds`.

    Raises
    ------
    InputError, CheckpointError
        If `run` is neither a directory with a checkpoint nor a checkpoint.
    """
    path = run / CHECKPOINT if run.is_dir() else run
    if not path.exists():
        raise InputError(
            f"there is no run {shown(run)}: {shown(path)} does not exist; give the directory of a "
            "run, such as runs/digits, or a checkpoint"
        )
    state = load_checkpoint(path, most)
    model = Model.of_device(state.network, state.weights, state.recipe.dropout)
    described = run.is_dir() and RunDirectory(run).description.exists()
    return replace(model, classes=load_run(run, most).description.classes) if described else model

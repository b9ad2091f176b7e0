# SPDX-License-Identifier: BSD-2-Clause

"""The origin of a run: its data and device, and the command that repeats it."""

import shlex
from dataclasses import dataclass, fields

from ..contract.network import INPUT_FRAC, LINEAR_FRAC, Network
from ..contract.settings import prune_name
from ..train.checkpoint import Checkpoint
from ..train.recipe import Recipe


@dataclass(frozen=True)
class Origin:
    """Where a run comes from.

    Parameters
    ----------
    name : str
        Name of the run.
    source : str or None
        Argument of `dualgate train`: a task or a file. None if nobody noted it.
    device : str or None
        Device that trained it, as named by the user.
    goal : str
        Goal of the task and whether the run reached it; empty if the data have none.
    options : tuple of str
        Further arguments of the command, such as ``--target quality``.
    """

    name: str
    source: str | None = None
    device: str | None = None
    goal: str = ""
    options: tuple[str, ...] = ()

    def command(self, state: Checkpoint) -> str:
        """Return the command line that trains the same network again, or an empty string.

        There is none for a run whose source nobody noted, or whose binary points no option sets.
        """
        network = state.network
        standard = (network.input_frac, network.linear_frac) == (INPUT_FRAC, LINEAR_FRAC)
        if self.source is None or not standard:
            return ""
        given = ["dualgate", "train", self.source, *self.options]
        if self.device is not None:
            given += ["--device", self.device]
        return shlex.join([*given, *_network(network), *_recipe(state.recipe)])


def _network(network: Network) -> list[str]:
    given = ["--layers", ",".join(map(str, network.sizes))]
    if network.hidden:
        same = len(set(network.hidden)) == 1
        names = network.hidden[:1] if same else network.hidden
        given += ["--activation", ",".join(names)]
    given += ["--loss", network.loss]
    if network.frozen:
        given += ["--freeze", ",".join(map(str, network.frozen))]
    return given


def _recipe(recipe: Recipe) -> list[str]:
    given: list[str] = []
    for field in fields(Recipe):
        value = getattr(recipe, field.name)
        if value is None or value == ():
            continue
        if field.name == "prune":
            text = prune_name(value)
        elif field.name == "class_weights":
            text = ",".join(map(repr, value))
        else:
            text = str(value)
        given += [f"--{field.name.replace('_', '-')}", text]
    return given

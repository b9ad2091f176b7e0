# SPDX-License-Identifier: BSD-2-Clause

"""What to train on: a task by its name, or a file of one's own."""

from dataclasses import dataclass, replace
from pathlib import Path

from ...contract.errors import InputError
from ...data.dataset import Dataset
from ...data.own import OwnData
from ...runs import Description
from ...tasks import Task, find_task, load_data, spelled
from .options import Options

OWN_OPTIONS = ("target", "drop", "categorical", "test")


@dataclass(frozen=True)
class Source:
    """What the user wants to train on, before anything is loaded.

    Parameters
    ----------
    name : str
        Name of the task, or of the file without its suffixes.
    own : OwnData or None
        None for a task.
    """

    name: str
    own: OwnData | None


def find_source(argument: str, options: Options) -> Source:
    """Tell a task from a file.

    Raises
    ------
    InputError
        For a name that is neither, or options that the one does not take.
    """
    given = [f"--{name}" for name in OWN_OPTIONS if getattr(options, name) is not None]
    task = spelled(argument)
    path = Path(argument)
    if task is not None:
        if given:
            raise InputError(
                f"{given[0]} is for a file of your own, and {task} has its own samples; give the "
                f"file instead of {task}"
            )
        return Source(task, None)
    is_path = path.exists() or path.suffix or len(path.parts) > 1
    if not is_path:
        find_task(argument)  # raises the error that names the tasks
    if options.data is not None:
        raise InputError("--data is for tasks; the file itself is the data here: leave it out")
    own = OwnData(
        path, options.target, _names(options.drop), _names(options.categorical), options.test
    )
    return Source(path.name.partition(".")[0] or path.resolve().name or "data", own)


def load_source(
    source: Source, options: Options, then: Description | None, seed: int, loss: str | None
) -> tuple[Task, Dataset, OwnData | None]:
    """Load the samples, and find network and recipe.

    Parameters
    ----------
    source : Source
    options : Options
    then : Description or None
        Of the run that goes on, whose options stand where none are given now.
    seed : int
    loss : str or None

    Returns
    -------
    Task, Dataset, OwnData or None
    """
    own = source.own
    if own is not None and then is not None and then.own is not None and own.target is None:
        own = replace(then.own, path=own.path)
    directory = options.data or (then.data if then else None)
    return *load_data(source.name, directory, own, seed, loss, options.most), own


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text else ()

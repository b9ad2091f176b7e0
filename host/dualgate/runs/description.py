# SPDX-License-Identifier: BSD-2-Clause

"""The description of a run: what was trained on, and what inputs and outputs stand for."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ..contract.errors import CheckpointError, InputError
from ..contract.values import Seed
from ..data.answers import Answers
from ..data.bounds import MOST_BYTES, TEXT, check_claim
from ..data.files import replace_file
from ..data.json_text import json_text
from ..data.own import OwnData
from ..data.preparation import Preparation

VERSION = 1
"""Version of the keys in the file and of their meaning."""


@dataclass(frozen=True)
class Description:
    """What a run's checkpoint does not hold.

    Parameters
    ----------
    name : str
        Name of the task, or of the file without its suffix.
    device : str
        As the user named it.
    seed : int
        Seed of the choice of held-out samples.
    data : Path or None
        Directory of a task's files.
    own : OwnData or None
        What the user said of their own data; None for a task.
    preparation : Preparation or None
        How inputs were made.
    answers : Answers or None
        What outputs stand for.
    version : int
    """

    name: str
    device: str
    seed: Seed = 0
    data: Path | None = None
    own: OwnData | None = None
    preparation: Preparation | None = None
    answers: Answers | None = None
    version: int = VERSION

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; empty if they have none."""
        return self.answers.classes if self.answers else ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs; empty if they have none."""
        return self.preparation.inputs if self.preparation else ()

    @property
    def source(self) -> str:
        """Argument of `dualgate train`: a task's name or a file."""
        return self.name if self.own is None else str(self.own.path)

    @property
    def options(self) -> tuple[str, ...]:
        """Further arguments of `dualgate train` that say what the data are."""
        if self.own is None:
            return ("--data", str(self.data)) if self.data else ()
        own = self.own
        given = {
            "--target": own.target,
            "--drop": ",".join(own.drop),
            "--categorical": ",".join(own.categorical),
            "--test": own.test,
        }
        return tuple(part for name, text in given.items() if text for part in (name, text))

    def write(self, path: Path) -> None:
        """Write the description as JSON; raises `InputError` if `path` cannot be written."""
        replace_file(path, json_text(self, indent=1).encode())


def read_description(path: Path, most: int = MOST_BYTES) -> Description:
    """Read a description; every field is checked for its type.

    Parameters
    ----------
    path : Path
    most : int
        The bound of `dualgate.data.bounds`, of which a description may have a 256th.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, or of another version, or has other fields.
    SizeError
        If it is larger than the bound.
    """
    try:
        check_claim(str(path), path.stat().st_size, most, TEXT)
        text = path.read_bytes()
        found = msgspec.json.decode(text, type=Description, dec_hook=_path)
        if found.answers is not None:
            found.answers.check()
        whole = _same_fields(json.loads(json_text(found)), msgspec.json.decode(text))
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}; train again") from None
    except (msgspec.DecodeError, InputError, TypeError, UnicodeError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: {error}; train again") from None
    if found.version != VERSION:
        raise CheckpointError(f"{path} has version {found.version}, not {VERSION}; train again")
    if not whole:
        raise CheckpointError(f"{path} has other fields than those of its version; train again")
    return found


def _same_fields(one: Any, other: Any) -> bool:
    """Whether two values of JSON differ in values only, such as another way to write a path."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same_fields(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return all(_same_fields(a, b) for a, b in zip(one, other, strict=True))
    return True


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"{kind.__name__} expected")

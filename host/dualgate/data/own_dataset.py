# SPDX-License-Identifier: BSD-2-Clause

"""A data set of one's own: classes or numbers, held-out samples, prepared inputs."""

from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from .answers import Answers, class_words
from .bounds import MOST_BYTES
from .dataset import Dataset
from .images import pixels
from .own import Content, OwnData, Raw, read_own, rows
from .own_answers import find_answers, scaled_answers
from .packages import pandas_package, sklearn_package
from .preparation import Preparation
from .samples import Samples
from .table import fit_preparation

HELD_OUT = 0.2
"""Share of the samples that is held out by default."""


def load_own(
    own: OwnData, seed: int = 0, loss: str | None = None, most: int = MOST_BYTES
) -> Dataset:
    """Load a data set of one's own; for the parameters see `tasks.own_task`.

    Held-out samples are those that the file or `own.test` brings, or a share that `seed` chooses,
    by class where every class has two samples. What inputs are scaled by, and what stands for
    missing ones, follows from the training samples alone. Samples without a target are left out.

    Raises
    ------
    InputError
        If a file cannot be read, or its samples cannot be used for `loss`.
    MissingToolError
        If pandas or scikit-learn is not installed.
    """
    raw, notes = _whole(read_own(own.path, own, most=most))
    share, held_out = _test(own, raw, most)
    answers, said = find_answers(raw, loss)
    if held_out is None:
        train, held_out = _split(raw, answers, share, seed)
    else:
        train, more = raw, _whole(held_out)
        held_out = more[0]
    preparation, left_out = _prepare(train.x, own)
    if not answers.classes:
        answers = scaled_answers(answers, train, loss)
    x, clipped = preparation.apply(train.x)
    x_out, unseen = preparation.apply(held_out.x)
    notes += [*clipped, *(f"held out: {note}" for note in unseen)]
    samples, samples_out = answers.samples(x, train.y), answers.samples(x_out, held_out.y)
    return Dataset(samples, samples_out, preparation, answers, (said, *left_out, *notes))


def read_inputs(
    path: Path, own: OwnData | None, preparation: Preparation, most: int = MOST_BYTES
) -> tuple[NDArray[np.float64], list[str]]:
    """Read and prepare the inputs of another file; its targets are left out, if it has any.

    Returns
    -------
    float array (samples, inputs), list of str
        As `Preparation.apply` returns them.
    """
    raw = read_own(path, own or OwnData(path), need_target=False, most=most)
    return preparation.apply(_shaped(raw.x, preparation))


def read_samples(
    path: Path,
    own: OwnData | None,
    preparation: Preparation,
    answers: Answers,
    target: str | None = None,
    most: int = MOST_BYTES,
) -> tuple[Samples, list[str]]:
    """Read and prepare inputs and targets of another file.

    Parameters
    ----------
    path : Path
        If it brings samples to train on and held-out ones, it is these that are read.
    own : OwnData or None
        What the user said of the data of the run; None for the data of a task.
    preparation : Preparation
    answers : Answers
    target : str or None
        Where the targets are, as in `OwnData`; by default as it was for the data of the run.
    most : int
        The bound of `bounds`.

    Returns
    -------
    Samples, list of str
        A line for each thing that the user should know.
    """
    column = None if is_zipfile(path) else ",".join(answers.targets)
    known = own.of_other(path) if own else OwnData(path, column)
    found = read_own(path, OwnData(path, target) if target else known, most=most)
    raw, notes = _whole(found.held_out or found, preparation)
    x, told = preparation.apply(raw.x)
    return answers.samples(x, raw.y), notes + told


def _shaped(x: Content, preparation: Preparation | None = None) -> Content:
    """Give inputs one of two shapes: a table, or an array (samples, columns).

    An array stays one if it holds images, or if `preparation` is of an array. Otherwise it becomes
    a table with the columns 1, 2 and so on.
    """
    if not isinstance(x, np.ndarray):
        return x
    images = x.ndim != 2 or x.dtype == np.uint8
    if images or (preparation is not None and preparation.is_of_array):
        return x.reshape(len(x), -1)
    names = [str(position + 1) for position in range(x.shape[1])]
    return pandas_package().DataFrame(x, columns=names)


def _prepare(x: Content, own: OwnData) -> tuple[Preparation, list[str]]:
    if isinstance(x, np.ndarray):
        return pixels(x), []
    preparation, _, notes = fit_preparation(x, own.categorical)
    return preparation, notes


def _whole(raw: Raw, preparation: Preparation | None = None) -> tuple[Raw, list[str]]:
    """Give inputs and targets the shapes that the rest works on; leave out rows without target."""
    x, y = raw.x, raw.y
    if isinstance(x, np.ndarray) and (x.dtype.kind not in "biuf" or x.ndim < 2):
        raise InputError(
            f"inputs of type {x.dtype} and shape {x.shape}; give numbers (samples, columns)"
        )
    x = _shaped(x, preparation)
    if isinstance(y, np.ndarray):
        y = _target_table(y, raw.targets)
    missing = y.isna().any(axis=1).to_numpy()
    count = int(missing.sum())
    if count == len(missing):
        raise InputError(f"no sample has a target in {', '.join(raw.targets)}; give some")
    notes = [f"{count:,} samples without a target are left out"] * bool(count)
    keep = np.flatnonzero(~missing)
    targets = tuple(map(str, y.columns))
    held_out = raw.held_out
    return Raw(
        rows(x, keep) if count else x, rows(y, keep) if count else y, targets, held_out
    ), notes


def _target_table(y: NDArray[Any], names: tuple[str, ...]) -> Any:
    table = pandas_package().DataFrame
    if y.dtype.kind not in "biufUS" or y.ndim > 2:
        raise InputError(f"targets of type {y.dtype} and shape {y.shape}; give numbers or words")
    y = np.char.decode(y) if y.dtype.kind == "S" else y
    if y.ndim == 2 and y.shape[1] > 1:
        one_hot = y.dtype.kind in "biuf" and ((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all()
        if one_hot:
            return table({names[0]: y.argmax(axis=1)})
        return table(y, columns=[f"{names[0]}{index + 1}" for index in range(y.shape[1])])
    return table({names[0]: y.reshape(-1)})


def _test(own: OwnData, raw: Raw, most: int) -> tuple[float, Raw | None]:
    """Return the share to hold out, or the samples that are held out."""
    if own.test is None:
        return HELD_OUT, raw.held_out
    try:
        share = float(own.test)
    except ValueError:
        return 0.0, read_own(Path(own.test), own.of_other(Path(own.test)), most=most)
    if not 0.0 < share < 1.0:
        raise InputError(f"--test {own.test}: give a share between 0 and 1, or a file")
    return share, None


def _split(raw: Raw, answers: Answers, share: float, seed: int) -> tuple[Raw, Raw]:
    sklearn_package()
    from sklearn.model_selection import train_test_split

    labels = np.array(class_words(raw.y)) if answers.classes else None
    if labels is not None:
        counts = np.unique(labels, return_counts=True)[1]
        test = round(share * len(labels))
        if counts.min() < 2 or min(test, len(labels) - test) < len(counts):
            labels = None
    try:
        chosen = train_test_split(
            np.arange(len(raw.x)), test_size=share, random_state=seed, stratify=labels
        )
    except ValueError:
        raise InputError(
            f"{len(raw.x)} samples are too few to hold out a share of {share:g}; give more samples"
        ) from None
    parts = (Raw(rows(raw.x, at), rows(raw.y, at), raw.targets) for at in map(np.sort, chosen))
    return next(parts), next(parts)

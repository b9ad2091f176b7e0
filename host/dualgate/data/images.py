# SPDX-License-Identifier: BSD-2-Clause

"""Sets of labelled images in IDX files: MNIST, Fashion-MNIST, EMNIST, KMNIST, one's own."""

import glob
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from .answers import Answers
from .bounds import MOST_BYTES
from .dataset import Dataset
from .idx import is_idx, read_idx
from .preparation import Preparation

WHITE = 255.0
"""The largest value of a pixel, which becomes 1."""

MOST_FILES = 1000
"""Files of a directory, and of the directories in it, that are looked at."""

HELD_OUT = ("t10k", "test", "valid", "eval")
"""Words in the names of files of samples to measure with."""

Files = dict[tuple[bool, bool], Path]
"""Files by whether they are held out, and whether they hold labels."""


def load_images(
    directory: Path | None, name: str, source: str, classes: int | None = None
) -> Dataset:
    """Load images and labels from a directory of four IDX files.

    Parameters
    ----------
    directory : Path or None
        The files may lie in directories in it. If it holds several sets, give the beginning that
        the names of one set's files have in common, such as ``DIR/emnist-letters``.
    name : str
        Name of the data set in error messages.
    source : str
        Where the files are available, for the error message.
    classes : int or None
        Number of classes if all labels are below it. Otherwise, or by default, there is a class
        for each number from the lowest label to the highest, or for each label that occurs if
        fewer than half of these do.

    Raises
    ------
    InputError
        If the directory or one of its files is missing, or a file does not hold what it should.
    """
    if directory is None or not (directory.is_dir() or any(_candidates(directory))):
        missing = "no directory given" if directory is None else f"no directory {directory}"
        raise InputError(
            f"{name}: {missing}; give --data DIR with the four IDX files, available from {source}"
        )
    files = find_files(directory)
    parts = [_read(files, directory, held_out) for held_out in (False, True)]
    (x, labels), (x_out, labels_out) = parts
    if x.shape[1] != x_out.shape[1]:
        raise InputError(
            f"{files[True, False]} has images of {x_out.shape[1]} pixels, and "
            f"{files[False, False]} of {x.shape[1]}; get the files again"
        )
    answers = label_answers(np.concatenate([labels, labels_out]), classes)
    preparation = pixels(x)
    numbers = np.array([int(name) for name in answers.classes])
    train, test = (
        answers.of_labels(preparation.apply(a)[0], np.searchsorted(numbers, b))
        for a, b in ((x, labels), (x_out, labels_out))
    )
    return Dataset(train, test, preparation, answers)


def pixels(x: NDArray[Any]) -> Preparation:
    """Make the preparation of images `x` (samples, pixels): all are divided by one number.

    It is 255 for bytes of which one is above 1, and else their largest magnitude.
    """
    most = float(np.abs(x[np.isfinite(x)]).max(initial=0)) if x.dtype.kind == "f" else 0.0
    if x.dtype.kind in "iu":
        most = float(max(x.max(), -int(x.min())))
        most = WHITE if x.dtype == np.uint8 and most > 1 else most
    return Preparation.of_array(x.shape[1], most or 1.0)


def label_answers(labels: NDArray[Any], classes: int | None = None) -> Answers:
    """Make the classes of labels that are whole numbers; `classes` as for `load_images`."""
    low, high = int(labels.min()), int(labels.max())
    if classes is not None and low >= 0 and high < classes:
        numbers = list(range(classes))
    elif high - low < 2 * len(distinct := np.unique(labels)):
        numbers = list(range(low, high + 1))
    else:
        numbers = distinct.tolist()
    if len(numbers) < 2:
        raise InputError(f"all labels are {low}; give samples of at least two classes")
    return Answers(("label",), tuple(map(str, numbers)))


def find_files(directory: Path) -> Files:
    """Find the IDX files of a set; see `load_images`.

    Raises
    ------
    InputError
        If there is more than one file for the same part of the set.
    """
    found: Files = {}
    for path in _candidates(directory):
        if not is_idx(path):
            continue
        place = path.name.lower()
        key = any(word in place for word in HELD_OUT), _holds_labels(path)
        other = found.setdefault(key, path)
        if _place(other).name != _place(path).name:
            raise InputError(
                f"{directory} holds several sets, {other.name} and {path.name}; give the beginning "
                f"of the names of one, such as {other.parent}/{other.name[:8]}"
            )
        if _place(other) != _place(path):
            raise InputError(
                f"{directory} holds several sets, in {_place(other).parent} and "
                f"{_place(path).parent}; give the directory of one"
            )
    return found


def _candidates(directory: Path) -> Iterator[Path]:
    if directory.is_dir():
        inside = directory.rglob("*")
    else:
        inside = directory.parent.glob(f"{glob.escape(directory.name)}*")
    found = list(islice(inside, MOST_FILES + 1))
    if len(found) > MOST_FILES:
        raise InputError(f"{directory} holds more than {MOST_FILES} files; give one with IDX alone")
    yield from sorted(path for path in found if path.is_file())


def _place(path: Path) -> Path:
    """Return where a file would lie without compression and without a directory of its own name."""
    plain = path.with_name(path.name.removesuffix(".gz"))
    return plain.parent if plain.parent.name.removesuffix(".gz") == plain.name else plain


def _holds_labels(path: Path) -> bool:
    return "label" in path.name.lower() or "idx1" in path.name.lower()


def _read(files: Files, directory: Path, held_out: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    for labels in (False, True):
        if (held_out, labels) not in files:
            part = "t10k" if held_out else "train"
            what = "labels-idx1" if labels else "images-idx3"
            for path in _candidates(directory):
                if path.name.replace(".", "-").startswith(f"{part}-{what}"):
                    read_idx(path)  # which says why it is no IDX file
            raise InputError(
                f"there is no {part}-{what}-ubyte[.gz] in {directory}; put the four IDX files there"
            )
    return read_pair(files[held_out, False], files[held_out, True])


def read_pair(
    images_path: Path, labels_path: Path, most: int = MOST_BYTES
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read images, flattened to (samples, pixels), and their labels (samples,).

    Parameters
    ----------
    images_path, labels_path : Path
    most : int
        Most bytes that are read of each.

    Raises
    ------
    InputError
        If either file holds something else, or their numbers of samples differ.
    """
    images, labels = read_idx(images_path, most), read_idx(labels_path, most)
    if images.ndim < 2:
        raise InputError(f"{images_path} has shape {images.shape}, so no images; give others")
    if labels.shape != images.shape[:1]:
        raise InputError(
            f"{labels_path} has {labels.size} labels for {len(images)} images; get the files again"
        )
    if labels.dtype.kind not in "iu":
        raise InputError(f"{labels_path} holds {labels.dtype}, no whole numbers; give labels")
    return images.reshape(len(images), -1), labels.astype(np.int64)


def read_samples(path: Path) -> NDArray[Any]:
    """Read an IDX file of inputs, flattened to (samples, inputs)."""
    images = read_idx(path)
    return images.reshape(len(images), -1)

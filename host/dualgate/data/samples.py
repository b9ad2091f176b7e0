# SPDX-License-Identifier: BSD-2-Clause

"""Data: scikit-learn's digits, and a reader for the IDX files of MNIST and Fashion-MNIST."""

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..contract.errors import InputError, MissingToolError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DIGITS_HELD_OUT = 360
SPLIT_SEED = 0
"""The split never changes, so that accuracies of different runs compare."""

IDX_UBYTE = 0x08


@dataclass(frozen=True)
class Samples:
    """Inputs and what the network should answer, as real numbers.

    Parameters
    ----------
    x : float array (samples, inputs)
    target : float array (samples, outputs)
    labels : int array (samples,) or None
        The right class of each sample, where the samples have classes.
    """

    x: Floats
    target: Floats
    labels: Ints | None = None

    @classmethod
    def of_classes(cls, x: ArrayLike, labels: ArrayLike, classes: int) -> "Samples":
        """Samples whose target is one for the right class and zero for the others.

        Parameters
        ----------
        x : (samples, inputs)
        labels : (samples,), integers 0 to classes - 1
        classes : int

        Raises
        ------
        InputError
            When a label is out of range, or there are not as many labels as inputs.
        """
        inputs, right = np.asarray(x, np.float64), np.asarray(labels)
        if right.ndim != 1 or len(right) != len(inputs):
            raise InputError(f"labels have shape {right.shape} for {len(inputs)} inputs")
        if right.dtype.kind not in "iu":
            raise InputError(f"labels are {right.dtype}; give whole numbers from 0")
        wrong = (right < 0) | (right >= classes)
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"label {right[first]} of sample {first} is out of range 0 to {classes - 1}"
            )
        whole = right.astype(np.int64)
        return cls(inputs, np.eye(classes)[whole], whole)

    @classmethod
    def of_yes_or_no(cls, x: ArrayLike, labels: ArrayLike) -> "Samples":
        """Samples of two classes, told apart by a single output that is to be the label itself.

        Parameters
        ----------
        x : (samples, inputs)
        labels : (samples,), 0 or 1

        Raises
        ------
        InputError
            As `of_classes`.
        """
        samples = cls.of_classes(x, labels, 2)
        return cls(samples.x, samples.target[:, 1:], samples.labels)


@dataclass(frozen=True)
class Dataset:
    """Samples to train on, and others to measure by.

    Parameters
    ----------
    train, held_out : Samples
    """

    train: Samples
    held_out: Samples


def sklearn_data() -> tuple[Any, Any]:
    """scikit-learn's sets of samples and its function that splits one.

    Raises
    ------
    MissingToolError
        When scikit-learn is not installed.
    """
    try:
        from sklearn import datasets
        from sklearn.model_selection import train_test_split
    except ImportError:
        raise MissingToolError(
            "the samples come with scikit-learn, which is missing; pip install dualgate[data]"
        ) from None
    return datasets, train_test_split


def load_digits() -> Dataset:
    """8x8 digits from scikit-learn: 1,437 to train on and 360 held out, each class in proportion.

    Raises
    ------
    MissingToolError
        When scikit-learn is not installed.
    """
    datasets, train_test_split = sklearn_data()
    x, labels = datasets.load_digits(return_X_y=True)
    split = train_test_split(
        x / 16.0, labels, test_size=DIGITS_HELD_OUT, stratify=labels, random_state=SPLIT_SEED
    )
    return Dataset(
        Samples.of_classes(split[0], split[2], 10), Samples.of_classes(split[1], split[3], 10)
    )


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes, compressed if its name ends in ``.gz``.

    Returns
    -------
    uint8 array of the shape that the file's header gives

    Raises
    ------
    InputError
        When the file cannot be read, is not IDX of unsigned bytes, or is not as long as it says.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "the compressed data is damaged"
        raise InputError(f"cannot read {path}: {reason}; get the file again") from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != IDX_UBYTE:
        raise InputError(f"{path} is not an IDX file of unsigned bytes; get the file again")
    header = 4 + 4 * content[3]
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, header, 4))
    if len(content) != header + math.prod(shape):
        raise InputError(
            f"{path} has {len(content)} bytes and should have {header + math.prod(shape)}; "
            "get the file again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _find(directory: Path, part: str, dimensions: int) -> Path:
    stems = (f"{part}-idx{dimensions}-ubyte", f"{part}.idx{dimensions}-ubyte")
    for name in (stem + ending for stem in stems for ending in ("", ".gz")):
        if (directory / name).is_file():
            return directory / name
    raise InputError(f"{directory} holds no {stems[0]}[.gz]; it must hold the four IDX files")


def _read_part(directory: Path, part: str, side: int, classes: int) -> Samples:
    images_path = _find(directory, f"{part}-images", 3)
    labels_path = _find(directory, f"{part}-labels", 1)
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3 or images.shape[1:] != (side, side) or not len(images):
        raise InputError(f"{images_path} has shape {images.shape}, not (samples, {side}, {side})")
    if labels.shape != images.shape[:1]:
        raise InputError(f"{labels_path} has {labels.size} labels for {len(images)} images")
    try:
        return Samples.of_classes(images.reshape(len(images), -1) / 255.0, labels, classes)
    except InputError as error:
        raise InputError(f"{labels_path}: {error}") from None


def load_idx(directory: Path | None, name: str, source: str) -> Dataset:
    """28x28 images of ten classes from a directory of four IDX files.

    Parameters
    ----------
    directory : Path or None
    name : str
        What the error calls the data.
    source : str
        Where the files can be had, for the error.

    Raises
    ------
    InputError
        When the directory or a file of it is missing or not what it should be.
    """
    if directory is None or not directory.is_dir():
        missing = "no directory given" if directory is None else f"no directory {directory}"
        raise InputError(
            f"{name}: {missing}; give --data DIR with its four IDX files, which are in {source}"
        )
    return Dataset(_read_part(directory, "train", 28, 10), _read_part(directory, "t10k", 28, 10))

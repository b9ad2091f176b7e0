# SPDX-License-Identifier: BSD-2-Clause

"""A reader for the IDX files of MNIST and Fashion-MNIST."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from .samples import Dataset, Samples

IDX_UBYTE = 0x08
"""Type code of unsigned bytes in the header of an IDX file."""


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes, compressed if its name ends in ``.gz``.

    Returns
    -------
    uint8 array of the shape that the file's header gives

    Raises
    ------
    InputError
        If the file cannot be read, is not IDX of unsigned bytes, or does not have the length that
        its header gives.
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
    raise InputError(f"there is no {stems[0]}[.gz] in {directory}; put the four IDX files there")


def _read_part(directory: Path, part: str, side: int, classes: int) -> Samples:
    images_path = _find(directory, f"{part}-images", 3)
    labels_path = _find(directory, f"{part}-labels", 1)
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3 or images.shape[1:] != (side, side) or not len(images):
        raise InputError(
            f"{images_path} has shape {images.shape}, not (samples, {side}, {side}); "
            "get the file again"
        )
    if labels.shape != images.shape[:1]:
        raise InputError(
            f"{labels_path} has {labels.size} labels for {len(images)} images; get the files again"
        )
    try:
        return Samples.of_classes(images.reshape(len(images), -1) / 255.0, labels, classes)
    except InputError as error:
        raise InputError(f"{labels_path}: {error}") from None


def load_idx(directory: Path | None, name: str, source: str) -> Dataset:
    """Load 28x28 images of ten classes from a directory of four IDX files.

    Parameters
    ----------
    directory : Path or None
    name : str
        Name of the data set in error messages.
    source : str
        Where the files are available, for the error message.

    Raises
    ------
    InputError
        If the directory or one of its files is missing, or a file does not hold what it should.
    """
    if directory is None or not directory.is_dir():
        missing = "no directory given" if directory is None else f"no directory {directory}"
        raise InputError(
            f"{name}: {missing}; give --data DIR with the four IDX files, available from {source}"
        )
    return Dataset(_read_part(directory, "train", 28, 10), _read_part(directory, "t10k", 28, 10))

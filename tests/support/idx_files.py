# SPDX-License-Identifier: BSD-2-Clause

"""Small IDX files for tests, of random 28x28 images."""

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    """An array as the content of an IDX file of unsigned bytes."""
    shape = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return bytes([0, 0, 8, array.ndim]) + shape + array.tobytes()


def write_images(directory: Path, dotted: bool = False, compressed: bool = False) -> Path:
    """Write the four files: 50 images to train on and 20 held out, all ten classes in both."""
    random = np.random.default_rng(0)
    directory.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", 50), ("t10k", 20)):
        images = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 10
        for what, dimensions, array in (("images", 3, images), ("labels", 1, labels)):
            name = f"{part}-{what}{'.' if dotted else '-'}idx{dimensions}-ubyte"
            content = idx_bytes(array)
            path = directory / (name + ".gz" * compressed)
            path.write_bytes(gzip.compress(content) if compressed else content)
    return directory

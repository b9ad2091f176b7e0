# SPDX-License-Identifier: BSD-2-Clause

"""Checks of a file of `torch.save` before PyTorch reads it, and before PyTorch is imported.

PyTorch runs no code of such a file when it reads weights alone. But a byte of a pickle may become
an object of 200 bytes, and one word of it an array of zeros of any length.
"""

import pickletools
import zipfile
from pathlib import Path
from typing import IO

from ..data.bounds import PICKLE, check_claim
from ..data.zips import open_zip

ZIP = b"PK\x03\x04"
PICKLES = 5
"""Pickles at the beginning of a file of PyTorch before 1.6; the numbers follow."""

DAMAGED = (
    *(OSError, EOFError, ValueError, zipfile.BadZipFile, KeyError, RuntimeError),
    *(NotImplementedError, OverflowError),
)
"""Errors of a damaged file."""


def check_torch_file(path: Path, most: int) -> bool:
    """Check that a file takes no more memory than the bound when PyTorch reads it.

    Parameters
    ----------
    path : Path
    most : int
        The bound of `bounds`: of the file, and of its pickle a `PICKLE`-th.

    Returns
    -------
    bool
        Whether it is a zip archive, as PyTorch writes since 1.6. Then each of its parts is known to
        be stored as it is, so that its tensors can be mapped.

    Raises
    ------
    SizeError
        If it claims more than the bound.
    OSError, EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, ...
        If it is damaged; one of `DAMAGED`.
    """
    check_claim("the file", path.stat().st_size, most)
    with path.open("rb") as file:
        is_zip = file.read(len(ZIP)) == ZIP
        if not is_zip:
            file.seek(0)
            for _ in range(PICKLES):
                _check_pickle(file, most)
            return False
    with open_zip(path) as archive:
        for info in archive.infolist():
            stored = info.compress_type == zipfile.ZIP_STORED
            if not stored or info.compress_size != info.file_size:
                raise zipfile.BadZipFile
            if info.filename.endswith(".pkl"):
                check_claim("its pickle", info.file_size, most, PICKLE)
                with archive.open(info) as part:
                    _check_pickle(part, most)
    return True


def _check_pickle(file: IO[bytes], most: int) -> None:
    for kind, value, position in pickletools.genops(file):
        check_claim("its pickle", position or 0, most, PICKLE)
        if kind.name == "GLOBAL" and str(value).endswith(" bytearray"):
            raise ValueError("an array of zeros")

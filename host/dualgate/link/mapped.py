# SPDX-License-Identifier: BSD-2-Clause

"""Access to a BAR from Python: the interface, and the memory-mapped BAR of a device."""

import errno
import fcntl
import mmap
import os
import re
from pathlib import Path
from typing import Protocol

import numpy as np

from ..contract.commands import Words
from ..contract.errors import DeviceError, InputError
from .bar import BAR_BYTES, WORD_BYTES, Page

DEVICES = Path("/sys/bus/pci/devices")
"""Directory of PCI devices on Linux; each has a file for each of its BARs."""

RUN = (Page.SCRATCH.base - Page.WINDOW.base) // WORD_BYTES // 2
"""Number of words that one pass over the window moves: every second word of the page."""

ADDRESS = re.compile(r"([0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", re.IGNORECASE)
"""Domain (optional), bus, device and function."""


class WordAccess(Protocol):
    """Access to a BAR; offsets are in bytes, words have 32 bits."""

    def read(self, offset: int) -> int:
        """Read a word."""

    def write(self, offset: int, value: int) -> None:
        """Write a word, `value`, at `offset`."""

    def send(self, words: Words) -> None:
        """Write words (count,) to the window, in their order and each of them once."""

    def receive(self, count: int) -> Words:
        """Read `count` words from the window, in their order and each of them once."""

    def close(self) -> None:
        """End the access."""


def resource(address: str) -> Path:
    """Return the file of BAR 0 at a PCI address such as ``0000:01:00.0`` or ``01:00.0``.

    Raises
    ------
    InputError
        If `address` is no PCI address.
    """
    match = ADDRESS.fullmatch(address)
    if match is None:
        raise InputError(f"{address!r} is no PCI address; give one as lspci shows it: 0000:01:00.0")
    return DEVICES / (address if match[1] else f"0000:{address}").lower() / "resource0"


class MappedBar:
    """A BAR mapped into this process, with exclusive access.

    Parameters
    ----------
    path : Path
        See `resource`.

    Raises
    ------
    DeviceError
        If there is no such device, it is in use, access is denied, or it is no board.
    """

    def __init__(self, path: Path) -> None:
        try:
            file = os.open(path, os.O_RDWR | os.O_SYNC)
        except OSError as error:
            raise DeviceError(f"cannot open {path}: {_why_not_opened(path, error)}") from None
        try:
            self._map = _mapped(file, path)
        finally:
            os.close(file)
        self._words = memoryview(self._map).cast("I")
        # Consecutive words would be moved by memcpy, which may store a word twice where its blocks
        # overlap. A stride makes numpy move them one by one; the window ignores the offset.
        first = Page.WINDOW.base // WORD_BYTES
        self._window = np.frombuffer(self._map, np.uint32)[first : first + 2 * RUN : 2]

    def read(self, offset: int) -> int:
        """See `WordAccess`."""
        return self._words[offset // WORD_BYTES]

    def write(self, offset: int, value: int) -> None:
        """See `WordAccess`."""
        self._words[offset // WORD_BYTES] = value

    def send(self, words: Words) -> None:
        """See `WordAccess`."""
        for start in range(0, len(words), RUN):
            part = words[start : start + RUN]
            self._window[: len(part)] = part

    def receive(self, count: int) -> Words:
        """See `WordAccess`."""
        result = np.empty(count, np.uint32)
        for start in range(0, count, RUN):
            part = result[start : start + RUN]
            part[:] = self._window[: len(part)]
        return result

    def close(self) -> None:
        """See `WordAccess`."""
        del self._window
        self._words.release()
        self._map.close()


def _why_not_opened(path: Path, error: OSError) -> str:
    """Say why the file of a BAR cannot be opened, and what to do."""
    if isinstance(error, PermissionError):
        return f"permission denied; become root, or own the file: sudo chown $USER {path}"
    if not isinstance(error, FileNotFoundError):
        return f"{error.strerror}; check the address"
    if path.parent.is_dir():
        return f"the device there has no BAR 0, so it is no board; {_boards_found()}"
    return (
        f"no such device; {_boards_found()}; rescan the PCI bus if the board was configured after "
        "the host had started"
    )


def _boards_found() -> str:
    """List the PCI devices whose BAR 0 has the size of a board's, for the end of a message."""
    files = sorted(DEVICES.glob("*/resource0"))
    found = [file.parent.name for file in files if file.stat().st_size == BAR_BYTES]
    if not found:
        return "no PCI device of this machine can be a board"
    return f"devices that can be boards: {', '.join(found)}"


def _check_enabled(path: Path) -> None:
    """Raise `DeviceError` if the system has not enabled a device, so that its BAR reads as ones."""
    enable = path.with_name("enable")
    try:
        number = enable.read_text().strip()
    except OSError:
        # Not every system tells.
        return
    if number == "0":
        raise DeviceError(
            f"{path.parent.name} is not enabled; enable it: echo 1 | sudo tee {enable}"
        )


def _mapped(file: int, path: Path) -> mmap.mmap:
    size = os.fstat(file).st_size
    if size < BAR_BYTES:
        raise DeviceError(
            f"{path} has {size} bytes, a board {BAR_BYTES}; it is another device; {_boards_found()}"
        )
    _check_enabled(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return mmap.mmap(file, BAR_BYTES)
    except BlockingIOError:
        raise DeviceError(f"{path} is in use by another process; end that first") from None
    except OSError as error:
        reason = errno.errorcode.get(error.errno or 0, "unknown error")
        raise DeviceError(
            f"cannot map {path} ({reason}); a driver that holds the device or a kernel in "
            "lockdown forbids it"
        ) from None

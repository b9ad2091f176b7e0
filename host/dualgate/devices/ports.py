# SPDX-License-Identifier: BSD-2-Clause

"""Serial ports: those that there are, and why one of them cannot be opened."""

import errno
import grp
import os
import stat

from serial.tools import list_ports

MISSING = (errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.ENOTDIR, errno.ELOOP)
DENIED = (errno.EACCES, errno.EPERM)
HELD = (errno.EBUSY, errno.EAGAIN)
NO_TERMINAL = (errno.ENOTTY, errno.EIO, errno.EISDIR)
"""What a file answers that is no serial port, or one without hardware behind it."""

OTHER = "n/a"
"""The description that pyserial gives a port of which it knows nothing."""


def ports_found() -> str:
    """List the serial ports of this machine, for the end of a message."""
    found = [
        port.device + (f" ({port.description})" if port.description != OTHER else "")
        for port in sorted(list_ports.comports())
    ]
    if not found:
        return "no serial port was found; check the cable and the board's power"
    return f"ports found: {', '.join(found)}"


def reason(error: Exception) -> str:
    """Return the plain part of an error message of pyserial or the system."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.split(": [Errno")[0].partition(" (")[0]


def why_not_opened(name: str, error: Exception) -> str:
    """Say in one line why a port cannot be opened, and what to do.

    Parameters
    ----------
    name : str
        Name of the port.
    error : Exception
        What pyserial raised.
    """
    number = _errno(error)
    if number in DENIED:
        why = f"{os.strerror(errno.EACCES)}; {_access_remedy(name)}"
    elif number in HELD:
        why = "another program holds it; end that first"
    elif number in NO_TERMINAL:
        why = "it is no serial port"
    elif number in MISSING:
        why = os.strerror(number)
    else:
        return f"cannot open {name}: {reason(error)}; check the name and the options of the port"
    return f"cannot open {name}: {why}; {ports_found()}"


def _errno(error: BaseException | None) -> int | None:
    """Return the system's number of an error, which pyserial may have put into words only."""
    while error is not None:
        # `termios.error` is no OSError, but has the same arguments.
        if error.args and isinstance(error.args[0], int):
            return error.args[0]
        error = error.__cause__ or error.__context__
    return None


def _access_remedy(name: str) -> str:
    """Say how to get access to a device file: its group may have it, or only its owner."""
    try:
        file = os.stat(name)
    except OSError:
        return "ask its owner for access"
    shared = file.st_mode & stat.S_IRGRP and file.st_mode & stat.S_IWGRP and file.st_gid
    if not shared:
        return (
            "join the group that owns it, such as dialout; here only root has access, so give it "
            f"to a group first: sudo chgrp dialout {name}, sudo chmod g+rw {name}"
        )
    try:
        group = grp.getgrgid(file.st_gid).gr_name
    except KeyError:
        return f"join the group that owns it, number {file.st_gid}"
    return (
        f"join the group that owns it, {group}: sudo usermod -aG {group} $USER, then log in again"
    )

# SPDX-License-Identifier: BSD-2-Clause

"""Serial ports that cannot be opened: each cause has its message, with the ports there are."""

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from dualgate.contract.errors import LinkError
from dualgate.devices import open_device, ports

FOUND = "ports found: /dev/ttyUSB0 (FT231X USB UART), /dev/ttyUSB1"


@pytest.fixture(autouse=True)
def two_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    class Port(SimpleNamespace):
        def __lt__(self, other: "Port") -> bool:
            return bool(self.device < other.device)

    found = [
        Port(device="/dev/ttyUSB1", description="n/a"),
        Port(device="/dev/ttyUSB0", description="FT231X USB UART"),
    ]
    monkeypatch.setattr(ports.list_ports, "comports", lambda: found)


@pytest.fixture
def terminal() -> Iterator[str]:
    fds = os.openpty()
    yield os.ttyname(fds[1])
    for fd in fds:
        os.close(fd)


def message(name: object) -> str:
    with pytest.raises(LinkError) as error:
        open_device(f"serial:{name}")
    return str(error.value)


def test_a_port_that_is_not_there_is_told_with_those_that_are() -> None:
    expected = "cannot open /dev/nowhere: No such file or directory; " + FOUND
    assert message("/dev/nowhere") == expected


def test_a_machine_without_ports_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports.list_ports, "comports", list)
    assert message("/dev/nowhere").endswith(
        "; no serial port was found; check the cable and the board's power"
    )


def test_a_file_a_folder_and_a_device_are_no_serial_ports(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for name in (tmp_path / "file", tmp_path / "pipe", tmp_path, "/dev/null"):
        assert message(name) == f"cannot open {name}: it is no serial port; {FOUND}"


def test_a_port_that_another_program_holds_is_told_so(terminal: str) -> None:
    expected = f"cannot open {terminal}: another program holds it; end that first; {FOUND}"
    with Path(terminal).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert message(terminal) == expected


@pytest.mark.parametrize(
    ("mode", "group", "remedy"),
    [
        (0o660, 20, "the group that owns it, uucp: sudo usermod -aG uucp $USER, then log in again"),
        (0o660, 21, "the group that owns it, number 21"),
        (0o600, 20, "the group that owns it, such as dialout; here only root has access, so give"),
        (0o660, 0, "the group that owns it, such as dialout; here only root has access, so give"),
    ],
)
def test_a_port_without_permission_names_the_group_to_join(
    terminal: str, monkeypatch: pytest.MonkeyPatch, mode: int, group: int, remedy: str
) -> None:
    opens, looks = os.open, os.stat

    def refuse(path: str, *rest: int) -> int:
        if path == terminal:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return opens(path, *rest)

    def look(path: str, **more: object) -> object:
        if path == terminal:
            return SimpleNamespace(st_mode=mode, st_gid=group)
        return looks(path, **more)  # type: ignore[arg-type]

    def name(number: int) -> object:
        if number != 20:
            raise KeyError(number)
        return SimpleNamespace(gr_name="uucp")

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "stat", look)
    monkeypatch.setattr(ports.grp, "getgrgid", name)
    said = message(terminal)
    assert said.startswith(f"cannot open {terminal}: Permission denied; join {remedy}")
    assert said.endswith(FOUND)


@pytest.mark.parametrize("baud", ["-4", "99999999999"])
def test_a_rate_that_no_port_has_is_an_error(terminal: str, baud: str) -> None:
    assert "check the name and the options of the port" in message(f"{terminal}?baud={baud}")

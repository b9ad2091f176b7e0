# SPDX-License-Identifier: BSD-2-Clause

"""A board on PCIe from the host's side: the BAR mapped from a file, and a board that is none."""

import errno
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from support.fake_bar import FakeBar
from support.fake_engine import FakeEngine

from dualgate.contract import commands
from dualgate.contract.commands import MAGIC, Op
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DeviceError, HandshakeError, InputError, LinkError
from dualgate.contract.network import Network
from dualgate.contract.settings import Settings
from dualgate.devices import open_device
from dualgate.devices.pcie import BarDevice
from dualgate.link import mapped
from dualgate.link.bar import BAR_BYTES, MAP_VERSION, Control, Page, Register, constants
from dualgate.link.identity import Identity
from dualgate.link.mapped import MappedBar, resource

ENGINE = EngineParameters(2, rows=64, inputs=64)
BUILD = bytes(range(32))


class Answers(FakeEngine):
    """`FakeEngine`, asked by operation and payload."""

    def __call__(self, op: int, payload: list[int]) -> list[int]:
        answer = self.answer(Op(op), payload)
        self.said.append((Op(op), len(payload)))
        return [commands.header(op, len(answer)), *answer]


def board(depth: int = 8, beat: int = 1) -> tuple[FakeBar, Answers]:
    answers = Answers()
    answers.identity |= vars(ENGINE)
    return FakeBar(answers, ENGINE, depth, beat), answers


def device_file(directory: Path, content: bytes) -> str:
    """A device directory as Linux shows it; returns its address."""
    (directory / "0000:01:00.0").mkdir()
    (directory / "0000:01:00.0" / "resource0").write_bytes(content)
    return "0000:01:00.0"


def stand_in() -> bytes:
    """A BAR that identifies itself, and whose window is plain memory."""
    content = bytearray(BAR_BYTES)
    for offset, word in constants(Identity(ENGINE, BUILD).words(), 64, 64, 1).items():
        struct.pack_into("<I", content, offset, word)
    return bytes(content)


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mapped, "DEVICES", tmp_path)
    return tmp_path


def test_words_of_a_mapped_bar_are_the_file_s_words(devices: Path) -> None:
    path = resource(device_file(devices, bytes(range(256)) * (BAR_BYTES // 256)))
    bar = MappedBar(path)
    assert bar.read(0x104) == 0x07060504
    bar.write(Page.RESERVED.base + 8, 0x89ABCDEF)
    bar.close()
    content = path.read_bytes()
    assert content[Page.RESERVED.base + 8 :][:4] == b"\xef\xcd\xab\x89"
    assert content[: Page.RESERVED.base] == bytes(range(256)) * (Page.RESERVED.base // 256)


@pytest.mark.parametrize("count", [0, 1, 3, mapped.RUN, mapped.RUN + 1, 3 * mapped.RUN - 1])
def test_runs_of_words_stay_in_the_window(devices: Path, count: int) -> None:
    bar = MappedBar(resource(device_file(devices, bytes(BAR_BYTES))))
    words = np.arange(1, count + 1, dtype=np.uint32)
    bar.send(words)
    read = [bar.read(at) for at in range(0, BAR_BYTES, 4)]
    first = Page.WINDOW.base // 4
    last = count % mapped.RUN or min(count, mapped.RUN)
    assert read[first : first + 2 * last : 2] == words[count - last :].tolist()
    assert not any(read[:first] + read[Page.SCRATCH.base // 4 :] + read[first + 1 :: 2])
    part = bar.receive(min(count, mapped.RUN))
    assert part.tolist() == read[first : first + 2 * len(part) : 2]
    bar.close()


@pytest.mark.parametrize("address", ["0000:01:00.0", "01:00.0", "0000:01:00.0".upper()])
def test_an_address_names_a_file(devices: Path, address: str) -> None:
    assert resource(address) == devices / "0000:01:00.0" / "resource0"


@pytest.mark.parametrize("address", ["", "1:0.0", "0000:01:00.8", "01:00", "../../etc", "x" * 12])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="no PCI address; give one as lspci shows it"):
        open_device(f"pcie:{address}")


def test_a_device_that_is_not_there_is_named(devices: Path) -> None:
    with pytest.raises(DeviceError, match=r"cannot open .*/0000:02:00.0/resource0: no such de"):
        open_device("pcie:02:00.0")


def test_devices_that_can_be_boards_are_listed(devices: Path) -> None:
    device_file(devices, stand_in())
    (devices / "0000:03:00.0").mkdir()
    (devices / "0000:03:00.0" / "resource0").write_bytes(bytes(4096))
    (devices / "0000:04:00.0").mkdir()
    for address, why in (
        ("02:00.0", "no such device; "),
        ("03:00.0", "has 4096 bytes, a board 16384; it is another device; "),
        ("04:00.0", "the device there has no BAR 0, so it is no board; "),
    ):
        with pytest.raises(DeviceError, match=f"{why}devices that can be boards: 0000:01:00.0"):
            open_device(f"pcie:{address}")


def test_a_device_that_is_not_enabled_says_how_to_enable_it(devices: Path) -> None:
    address = device_file(devices, b"\xff" * BAR_BYTES)
    enable = devices / address / "enable"
    enable.write_text("0\n")
    with pytest.raises(DeviceError, match=r"01:00\.0 is not enabled; enable it: echo 1 \| sudo"):
        open_device(f"pcie:{address}")
    enable.write_text("1\n")
    with pytest.raises(LinkError, match="reads as all ones"):
        open_device(f"pcie:{address}")


def test_a_device_that_may_not_be_opened_is_named(
    devices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = device_file(devices, stand_in())

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(DeviceError, match=r"resource0: permission denied; become root, or own"):
        open_device(f"pcie:{address}")


def test_a_device_with_a_smaller_bar_is_another(devices: Path) -> None:
    address = device_file(devices, bytes(4096))
    with pytest.raises(DeviceError, match=r"has 4096 bytes, a board 16384; it is another device"):
        open_device(f"pcie:{address}")


def test_a_device_in_use_is_not_shared(devices: Path) -> None:
    address = device_file(devices, stand_in())
    with open_device(f"pcie:{address}"), pytest.raises(DeviceError, match="in use by another"):
        open_device(f"pcie:{address}")
    open_device(f"pcie:{address}").close()


def test_a_bar_that_cannot_be_mapped_is_named(
    devices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = device_file(devices, stand_in())

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr(mapped.mmap, "mmap", refuse)
    with pytest.raises(DeviceError, match=r"cannot map .*resource0 \(EPERM\); a driver"):
        open_device(f"pcie:{address}")


def test_a_bar_of_ones_is_a_board_that_left_the_bus(devices: Path) -> None:
    address = device_file(devices, b"\xff" * BAR_BYTES)
    with pytest.raises(LinkError, match="reads as all ones: the board has left the bus"):
        open_device(f"pcie:{address}")
    MappedBar(resource(address)).close()


def test_another_device_is_told_by_its_first_word(devices: Path) -> None:
    address = device_file(devices, bytes(BAR_BYTES))
    with pytest.raises(HandshakeError, match=rf"begins with 0x00000000, a board's with {MAGIC:#x}"):
        open_device(f"pcie:{address}")


def test_a_board_that_says_nothing_ends_in_a_time_out(devices: Path) -> None:
    address = device_file(devices, stand_in())
    with open_device(f"pcie:{address}?timeout=0.05", neurons=16) as device:
        assert isinstance(device, BarDevice)
        assert device.board == Identity(ENGINE, BUILD)
        with pytest.raises(LinkError, match=r"not answered for 0\.05 s; open it again"):
            device.identify()
    content = resource(address).read_bytes()
    assert content[Register.CONTROL :][:4] == struct.pack("<I", Control.RESET)


@pytest.mark.parametrize(
    ("register", "value", "message"),
    [
        (Register.MAP_VERSION, MAP_VERSION + 1, rf"version {MAP_VERSION + 1} of the register map"),
        (Register.IDENTITY, 5, "not a dualgate board"),
        (Register.IDENTITY + 4, 99, "command protocol 0x63, this host"),
        (Register.IDENTITY + 12, 8, "value_width 8, this host 16"),
        (Register.IDENTITY_WORDS, 4, "in 4 words, this host expects"),
    ],
)
def test_a_board_that_does_not_fit_is_refused(register: int, value: int, message: str) -> None:
    bar, _ = board()
    bar.registers[register] = value
    with pytest.raises(HandshakeError, match=message):
        BarDevice(bar)


def test_a_build_can_be_asked_for() -> None:
    BarDevice(board()[0], build="000102")
    with pytest.raises(HandshakeError, match="built as 0001020304050607, this host wants abc"):
        BarDevice(board()[0], build="abc")


@pytest.mark.parametrize("depth", [4, 5, 64])
@pytest.mark.parametrize("beat", [1, 2, 4])
def test_commands_of_any_length_pass_queues_of_any_depth(depth: int, beat: int) -> None:
    bar, answers = board(depth, beat)
    random = np.random.default_rng(depth)
    weights = [random.integers(-1 << 31, 1 << 31, (7, 3))]
    with BarDevice(bar) as device:
        device.configure(Network((6, 3)), 12)
        device.set(Settings(1 << 14, 14))
        device.write_weights(weights)
        np.testing.assert_array_equal(device.read_weights()[0], weights[0])
        answers.outputs = 3
        samples = random.integers(-9, 9, (20, 6)) * (np.arange(6) < 2)
        np.testing.assert_array_equal(device.train(samples, samples[:, :3]), np.zeros((20, 3)))
        device.apply()
        health = device.health()
        assert health.words_sent > health.words_received > 0
        assert health.bytes_sent == 4 * health.words_sent
        assert device.about()["neurons"] == "2"
    assert bar.closed
    assert [op for op, _ in answers.said].count(Op.TRAIN) == 20


def test_what_a_killed_host_left_behind_is_dropped() -> None:
    bar, _ = board()
    for word in commands.command(Op.WRITE_WEIGHTS, [0] * 100)[:6].tolist():
        bar.write(Page.WINDOW.base, word)
    with BarDevice(bar) as device:
        assert bar.resets == 1
        assert device.identify() == ENGINE


def test_a_board_that_leaves_the_bus_amid_a_batch_is_noticed() -> None:
    bar, answers = board()
    with BarDevice(bar) as device:
        device.configure(Network((6, 3)), 12)
        answers.outputs = 3

        def leave(op: int, payload: list[int]) -> list[int]:
            bar.gone = True
            return answers(op, payload)

        bar._answer = leave
        with pytest.raises(LinkError, match="has left the bus"):
            device.train(np.zeros((4, 6), np.int64), np.zeros((4, 3), np.int64))


def test_a_word_that_went_lost_is_noticed() -> None:
    bar, _ = board()
    with BarDevice(bar) as device:
        bar.read(Page.WINDOW.base)
        with pytest.raises(LinkError, match="reports UNDERRUN; open it again"):
            device.identify()


def test_a_board_that_says_too_much_is_noticed() -> None:
    bar, answers = board(depth=64)
    with BarDevice(bar) as device:
        bar._answer = lambda op, payload: [*answers(op, payload), 1, 2, 3]
        with pytest.raises(DeviceError, match="more than the responses can have"):
            device.identify()

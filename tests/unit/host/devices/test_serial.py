# SPDX-License-Identifier: BSD-2-Clause

"""A board on a serial port, simulated: training over it, and every fault that the line can have."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import serial
from support.paths import TESTS
from support.processes import wait_until
from support.small_runs import NETWORK, RECIPE, blobs

from dualgate.contract.commands import IDENTITY_FIELDS, Op, command
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DeviceError, HandshakeError, InputError, LinkError
from dualgate.contract.network import Network
from dualgate.contract.sample_commands import sample_commands
from dualgate.devices import Device, open_device
from dualgate.devices import serial as serial_module
from dualgate.devices.serial import SerialDevice
from dualgate.link import client as client_module
from dualgate.link import endpoint
from dualgate.link.client import Client
from dualgate.link.measure import measure
from dualgate.train.checkpoint import Checkpoint, load_checkpoint
from dualgate.train.trainer import Trainer
from dualgate_hw.link.serial.line import LinkParameters
from dualgate_sim.board.model import Board, BoardPort, Noise, bit_time, build_board
from dualgate_sim.board.serve import run
from dualgate_sim.board.terminal import PseudoTerminal

pytestmark = pytest.mark.slow

ENGINE = EngineParameters(4, inputs=256, activations=64)
RUN = replace(RECIPE, epochs=2)


@pytest.fixture(scope="module")
def library() -> Path:
    return build_board(ENGINE, LinkParameters())


class Served:
    """`dualgate serve`, in a thread of its own.

    Members
    -------
    device : what a host opens
    there, back : Noise
    """

    def __init__(self, library: Path) -> None:
        self.there, self.back = Noise(0, 0, 1), Noise(0, 0, 2)
        self.board = Board(library)
        self.terminal = PseudoTerminal()
        self.device = f"serial:{self.terminal.path}"
        # A name that no process holds is given to the next terminal, perhaps another test's.
        self._name = os.open(self.terminal.path, os.O_RDWR | os.O_NOCTTY)
        self._on = True
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        run(self.board, self.terminal, self.there, self.back, lambda: self._on)

    def unplug(self) -> None:
        """Stop the board and cut the line."""
        if self._on:
            self._on = False
            self._thread.join()
            self.terminal.close()
            self.board.close()

    def close(self) -> None:
        """That, and let go of the line's name."""
        self.unplug()
        os.close(self._name)


@pytest.fixture
def served(library: Path) -> Iterator[Served]:
    served = Served(library)
    yield served
    served.close()


@pytest.fixture(scope="module")
def clean() -> Checkpoint:
    """What the golden model makes of the same run."""
    with open_device("golden", neurons=ENGINE.neurons) as device:
        return train(device)


def train(device: Device, recipe: object = RUN) -> Checkpoint:
    trainer = Trainer(NETWORK, recipe, blobs(), blobs(20, 1))  # type: ignore[arg-type]
    for _ in trainer.run(device):
        pass
    return trainer.checkpoint(device)


def assert_same(one: Checkpoint, other: Checkpoint) -> None:
    for mine, theirs in zip(
        (*one.weights, *one.velocity), (*other.weights, *other.velocity), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


class InProcess(SerialDevice):
    """The device with a port in the board's own time instead of a file."""

    def __init__(self, port: BoardPort) -> None:
        super(SerialDevice, self).__init__()
        self._port = port  # type: ignore[assignment]
        self._client = Client(port, clock=port.clock)
        self._engine = self._client.identity.engine


def test_a_run_over_a_port_ends_with_the_golden_bits(served: Served, clean: Checkpoint) -> None:
    with open_device(served.device) as device:
        assert_same(train(device), clean)
        assert device.engine == ENGINE


def test_a_run_through_noise_ends_with_the_same_bits(
    library: Path, clean: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without an adapter that holds bytes back, a silence is noticed sooner.
    monkeypatch.setattr(endpoint, "SHORTEST_WAIT", 0.001)
    noise = [Noise(0.001, 0.001, seed) for seed in (3, 4)]
    board = Board(library)
    with InProcess(BoardPort(board, *noise)) as device:
        assert_same(train(device), clean)
        assert device.health().retries > 20
    assert all(line.corrupted > 5 and line.dropped > 5 for line in noise)


def test_a_host_that_comes_back_goes_on_from_its_checkpoint(
    served: Served, clean: Checkpoint, tmp_path: Path
) -> None:
    with open_device(served.device) as device:
        train(device, replace(RUN, epochs=1)).save(tmp_path / "first.npz")
    # The next host dies in the middle of the second epoch, and of a command.
    start = load_checkpoint(tmp_path / "first.npz")
    with open_device(served.device) as device:
        trainer = Trainer(NETWORK, RUN, blobs(), start=start)

        def die(done: int) -> None:
            device._port.write(b"\x09\x03torn")  # type: ignore[attr-defined]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(trainer.run(device, die))
    with open_device(served.device) as device:
        trainer = Trainer(NETWORK, RUN, blobs(), start=start)
        list(trainer.run(device))
        assert_same(trainer.checkpoint(device), clean)


HOST = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from support.small_runs import NETWORK, RECIPE, blobs
from dualgate.devices import open_device
from dualgate.train.trainer import Trainer
with open_device({device!r}) as device:
    trainer = Trainer(NETWORK, RECIPE, blobs())
    for _ in trainer.run(device):
        trainer.checkpoint(device).save(Path({file!r}))
"""


@pytest.mark.parametrize("after", [0.05, 0.3, 0.5])
def test_a_host_killed_at_any_moment_can_go_on(
    served: Served, tmp_path: Path, after: float
) -> None:
    with open_device("golden", neurons=ENGINE.neurons) as golden:
        whole = train(golden, RECIPE)
    file = tmp_path / "checkpoint.npz"
    code = HOST.format(tests=str(TESTS), device=served.device, file=str(file))
    host = subprocess.Popen([sys.executable, "-c", code], text=True)
    wait_until(file.exists, host)
    time.sleep(after)
    host.kill()
    host.wait()
    start = load_checkpoint(file)
    with open_device(served.device) as device:
        trainer = Trainer(NETWORK, RECIPE, blobs(), start=start)
        list(trainer.run(device))
        assert_same(trainer.checkpoint(device), whole)


class OwnTime:
    """A clock that goes on only in `sleep`, in place of the module `time`."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_board_unplugged_amid_a_run_is_an_error_within_five_seconds(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = OwnTime()
    monkeypatch.setattr(serial_module, "time", time)
    file = tmp_path / "checkpoint.npz"
    with open_device(served.device) as device:
        train(device, replace(RUN, epochs=1)).save(file)
        before = file.read_bytes()
        trainer = Trainer(NETWORK, RUN, blobs(), start=load_checkpoint(file))

        def pull(done: int) -> None:
            served.unplug()

        with pytest.raises(LinkError, match=r"^lost /dev/.* plug it in, then train again from"):
            list(trainer.run(device, pull))
        assert 0 < time.now < 5
    assert file.read_bytes() == before


def test_a_port_that_comes_back_in_time_is_used_again(
    served: Served, clean: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_device(served.device) as device:
        assert isinstance(device, SerialDevice)
        trainer = Trainer(NETWORK, RUN, blobs())
        times = 0

        def gone(size: int) -> bytes:
            raise serial.SerialException("gone")

        def flicker(done: int) -> None:
            nonlocal times
            if times < 3:
                monkeypatch.setattr(device._port._serial, "read", gone)
                times += 1

        list(trainer.run(device, flicker))
        assert_same(trainer.checkpoint(device), clean)
        assert device.health().reconnects == 3


def test_a_device_without_port_says_how_to_name_one() -> None:
    with pytest.raises(DeviceError, match="for instance serial:/dev/ttyUSB0"):
        open_device("serial")


def test_options_that_make_no_sense_are_refused(served: Served) -> None:
    with pytest.raises(InputError, match="serial"):
        open_device(served.device + "?baud=fast")
    with pytest.raises(InputError, match="unexpected keyword argument 'colour'"):
        open_device(served.device + "?colour=red")


def test_another_build_is_refused(served: Served) -> None:
    with pytest.raises(HandshakeError, match="this host wants 1234"):
        open_device(served.device + "?build=1234")
    with open_device(served.device) as device:
        build = device.about()["build"]  # type: ignore[attr-defined]
    open_device(f"{served.device}?build={build}").close()


def test_a_port_in_use_is_refused(served: Served) -> None:
    with open_device(served.device), pytest.raises(LinkError, match="holds it"):
        open_device(served.device)


class Silent:
    """A port at which nothing arrives, with a clock of its own."""

    name, reconnects = "silent", 0

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def read(self, seconds: float) -> bytes:
        self.now += seconds
        return b""

    def write(self, data: bytes) -> None:
        pass

    def drop_input(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_port_where_nothing_answers_is_an_error_within_five_seconds() -> None:
    terminal, port = PseudoTerminal(), Silent()
    with pytest.raises(LinkError, match="no dualgate board answers on /dev/"):
        open_device(f"serial:{terminal.path}")
    terminal.close()
    with pytest.raises(LinkError, match="no dualgate board answers on silent"):
        Client(port, clock=port.clock)
    assert 0 < port.now < 5


def test_a_network_that_does_not_fit_the_board_is_refused(served: Served) -> None:
    with (
        open_device(served.device) as device,
        pytest.raises(DeviceError.__base__, match="inputs has 256, needed 301"),  # type: ignore
    ):
        device.configure(Network((300, 2)), 12)


def test_measuring_a_link_finds_what_it_carries(library: Path) -> None:
    board = Board(library)
    with InProcess(BoardPort(board)) as device:
        rates = measure(device)
    assert rates.health.retries == 0
    assert rates.health.frames_sent > 20
    assert rates.round_trip_s > 0
    assert min(rates.to_device, rates.from_device) > 0


def test_the_line_is_busy_and_mostly_carries_words(library: Path) -> None:
    """At 3 Mbaud, samples like those of MNIST: some 150 inputs of 784."""
    network = Network((255, 8, 4), "tanh", "cce")
    random = np.random.default_rng(0)
    x = random.integers(1, 9000, (60, 255)) * (random.random((60, 255)) < 0.6)
    target = np.zeros((60, 4), np.int64)
    board = Board(library)
    with InProcess(BoardPort(board)) as device:
        device.configure(network, 12)
        board._bit = bit_time(3e6)
        before, cycles, given = device.health(), board.cycles, board.given
        taken = board.taken
        device.train(x, target)
        device.apply()
        after = device.health()
    seconds = (board.cycles - cycles) / 25e6
    busy = (board.taken - taken) * 10 / 3e6 / seconds
    words = after.words_sent - before.words_sent + after.words_received - before.words_received
    carried = board.taken - taken + board.given - given
    assert busy > 0.9
    assert 1 - 4 * words / carried < 0.05


def test_time_outs_leave_room_below_the_five_seconds_promised() -> None:
    assert serial_module.RECONNECT_S + serial_module.WRITE_S <= 5


@pytest.mark.parametrize("x", [[3, 0, 5], [0] * 40])
def test_a_sample_before_any_layer_is_over_with_the_next_hello(
    library: Path, x: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What docs/reference/protocol.md says of it: an answer is not promised, a new session is."""
    monkeypatch.setattr(client_module, "STALL_S", 0.01)
    board = Board(library)
    port = BoardPort(board)
    first = Client(port, clock=port.clock)
    with suppress(LinkError):
        first.exchange(sample_commands(np.array([x]), None), 1, 100)
    again = Client(port, clock=port.clock)
    assert len(again.exchange(command(Op.IDENTIFY), 1, 100)) == 1 + len(IDENTITY_FIELDS)
    board.close()

# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate serve`: a simulated board behind a pseudo-terminal, in place of a real one."""

import contextlib
import os
import select
import tty
from collections.abc import Callable

import click

from dualgate.contract.engine import EngineParameters
from dualgate_hw.link.serial.line import LinkParameters

from .model import Board, Noise, bit_time, build_board

SLICE = 20_000
"""Number of cycles between two polls of the pseudo-terminal, some hundredths of a second."""

REST = 1_000_000
"""Number of cycles without a byte, more than any command takes, after which the board may pause."""

REST_S = 0.2
READ_BYTES = 1 << 16


class PseudoTerminal:
    """A pseudo-terminal: this process has one end, and a host opens the other by its `path`.

    Members
    -------
    path : str
    """

    def __init__(self) -> None:
        # The end of the host stays open here, too, which keeps the line alive between two hosts.
        self._fd, self._held = os.openpty()
        tty.setraw(self._fd)
        tty.setraw(self._held)
        os.set_blocking(self._fd, False)
        self.path = os.ttyname(self._held)
        self._leaving = b""

    def read(self, seconds: float) -> bytes:
        """Return the bytes that the host has written; waits up to `seconds`."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        return os.read(self._fd, READ_BYTES) if ready else b""

    def write(self, data: bytes) -> None:
        """Send bytes to the host, now or, if it does not read, in the next call."""
        self._leaving += data
        if self._leaving:
            with contextlib.suppress(BlockingIOError):
                self._leaving = self._leaving[os.write(self._fd, self._leaving) :]

    def close(self) -> None:
        """Close both ends."""
        os.close(self._fd)
        os.close(self._held)


def run(
    board: Board,
    terminal: PseudoTerminal,
    there: Noise,
    back: Noise,
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Pass bytes between a host and a board while `goes_on` returns true.

    Parameters
    ----------
    there, back : Noise
        Noise on the bytes to the board and from it.
    """
    quiet = REST
    while goes_on():
        came = terminal.read(REST_S if quiet >= REST else 0.0)
        board.feed(there(came))
        before = board.cycles
        went = board.run(SLICE)
        terminal.write(back(went))
        quiet = 0 if came or went or board.waiting else quiet + board.cycles - before


@click.command()
@click.option("--baud", type=float, help="Rate of the line in simulated time; else no limit.")
@click.option("--error-rate", type=float, default=0.0, help="Share of bytes to corrupt.")
@click.option("--drop-rate", type=float, default=0.0, help="Share of bytes to lose.")
@click.option(
    "--neurons",
    type=int,
    default=EngineParameters().neurons,
    show_default=True,
    help="Lanes of the engine, a power of two.",
)
@click.option("--seed", type=int, default=0, help="Seed of corruption and loss.")
def serve(baud: float | None, error_rate: float, drop_rate: float, neurons: int, seed: int) -> None:
    """Simulate a board on a serial port, until interrupted.

    Prints the port; give it to a host as --device serial:PORT.
    """
    there, back = (Noise(error_rate, drop_rate, 2 * seed + end) for end in range(2))
    bit, engine = bit_time(baud), EngineParameters(neurons)
    board = Board(build_board(engine, LinkParameters()), bit)
    terminal = PseudoTerminal()
    try:
        click.echo(terminal.path)
        run(board, terminal, there, back)
    except KeyboardInterrupt:
        pass
    finally:
        terminal.close()
        board.close()
    click.echo(
        f"{board.taken:,} bytes in and {board.given:,} out; "
        f"{there.corrupted + back.corrupted:,} corrupted and {there.dropped + back.dropped:,} lost"
    )

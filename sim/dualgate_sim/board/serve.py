# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate serve`: a simulated board behind a pseudo-terminal, in place of a real one."""

from collections.abc import Callable

import click

from dualgate.contract.engine import EngineParameters
from dualgate.link.frame import DELIMITER
from dualgate_hw.link.serial.line import LinkParameters

from .model import Board, Noise, bit_time, build_board
from .terminal import Frames, PseudoTerminal, begins_session

SLICE = 20_000
"""Number of cycles between two polls of the pseudo-terminal, some hundredths of a second."""

REST = 1_000_000
"""Number of cycles without a byte, more than any command takes, after which the board may pause."""

REST_S = 0.2

WAITING_BYTES = 1 << 16
"""Most bytes that wait for the board: several times what a host sends without an answer."""


def run(
    board: Board,
    terminal: PseudoTerminal,
    there: Noise,
    back: Noise,
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Pass bytes between a host and a board while `goes_on` returns true.

    Of a host that sends more than the board takes, or does not read what the board sends, at most
    `WAITING_BYTES` and `LEAVING_BYTES` wait, and the rest is lost. All that waits is dropped when
    a host says HELLO, which therefore never waits for the host before it.

    Parameters
    ----------
    board : Board
    terminal : PseudoTerminal
    there, back : Noise
        Noise on the bytes to the board and from it.
    """
    quiet = REST
    frames = Frames()
    while goes_on():
        came = terminal.read(REST_S if quiet >= REST else 0.0)
        for piece in frames.feed(came):
            if begins_session(piece):
                terminal.drop_output()
                board.drop_input()
                board.feed(DELIMITER)  # it ends a frame of which the board has a part
            if board.waiting + len(piece) <= WAITING_BYTES:
                board.feed(there(piece))
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
    finally:
        terminal.close()
        board.close()
        corrupted, lost = there.corrupted + back.corrupted, there.dropped + back.dropped
        click.echo(
            f"{board.taken:,} bytes in and {board.given:,} out; "
            f"{corrupted:,} corrupted and {lost:,} lost"
        )

# SPDX-License-Identifier: BSD-2-Clause

"""Commands and responses as words, for the dispatcher and the collector."""

import random

from dualgate.contract import commands
from dualgate.contract.commands import Op

CORES = [1, 2, 3, 5]
Command = list[int]


def raw(dice: random.Random, op: int, count: int) -> Command:
    """Return a command whose payload contains words that look like headers and padding."""
    words = (0, op, commands.header(Op.TRAIN, 3), dice.getrandbits(32))
    return [commands.header(op, count), *dice.choices(words, k=count)]


def flat(some: list[Command]) -> list[int]:
    """Return the words of all commands."""
    return [word for command in some for word in command]

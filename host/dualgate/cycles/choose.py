# SPDX-License-Identifier: BSD-2-Clause

"""The fastest engine for a network within the multipliers and the memory of a board."""

from dataclasses import dataclass, replace

from ..contract.activations import TABLE_BITS
from ..contract.engine import MEMORIES, MOST, WORD_BITS, Depths, EngineParameters
from ..contract.errors import FitError
from ..contract.formats import MASTER_WIDTH, VALUE_WIDTH, VELOCITY_WIDTH, sum_width
from ..contract.network import Network
from .activity import Activity
from .estimate import Estimate, estimate

FIXED_MULTIPLIERS = 3
"""Multipliers of a core besides its MAC arrays: two in the error unit, one in the activation unit.

The one in the activation unit squares.
"""

ENTRY_WIDTH = 32
"""Bits of a list's entry, and of an output with its slope."""

QUEUES = 32 * (512 + 64)
"""Bits of the queues of words to and from each core, in an engine with several cores."""

TABLES = (15 + 16) << TABLE_BITS
"""Bits of the sigmoid and exp tables."""


def multipliers(engine: EngineParameters) -> int:
    """Count the multipliers of an engine, each of 16 x 16 bits or a little more."""
    if engine.compact:
        return engine.multipliers
    return engine.multipliers + engine.cores * FIXED_MULTIPLIERS


def memory_bits(engine: EngineParameters, depths: Depths | None = None) -> int:
    """Count the bits of all memories, with each memory counted once per read port.

    Block RAM has one read port beside its write port, so a second reader needs a second copy.
    Weights have one copy for each array that reads them; lists of hidden values, slopes and errors
    have two copies. Lists of inputs are in a memory of two ports and need one. Depths are rounded
    up to powers of two where contexts or slots share a memory. The count leaves out the rounding of
    a synthesis tool to whole blocks, and includes memories that it may put into registers.

    Parameters
    ----------
    engine : EngineParameters
    depths : Depths or None
        Contexts, slots and threads; by default ``Depths()``.
    """
    depths = depths or Depths()
    word = engine.neurons * VALUE_WIDTH
    readers = min(2, engine.arrays)
    half = engine.neurons * (MASTER_WIDTH - VALUE_WIDTH)
    row = engine.neurons * (readers * VALUE_WIDTH + VELOCITY_WIDTH)
    width = engine.groups * engine.neurons
    of_context = (
        ENTRY_WIDTH * (_power(engine.inputs) + 2 * _power(engine.activations))
        + WORD_BITS * _power(-(-engine.activations // WORD_BITS))
        + VALUE_WIDTH * _power(engine.layers)
        + (ENTRY_WIDTH + VALUE_WIDTH) * _power(width)
        + 3 * word * _power(engine.vectors)
        + 2 * word * _power(engine.groups)
    )
    tangent = sum_width(engine.activations) + VALUE_WIDTH
    of_slot = engine.neurons * engine.tangent_lanes * tangent
    core = (
        row * engine.rows
        + of_context * depths.contexts
        + of_slot * _power(engine.groups) * depths.slots
        + VALUE_WIDTH * width
        + TABLES
    )
    queues = QUEUES if engine.cores > 1 else 0
    return half * engine.rows + engine.cores * (core + queues)


def _power(depth: int) -> int:
    return 1 << (depth - 1).bit_length()


@dataclass(frozen=True)
class Choice:
    """An engine with its cost and its estimated speed.

    Parameters
    ----------
    engine : EngineParameters
    multipliers, memory_bits : int
        Results of the functions of these names.
    estimate : Estimate
        Cycles of the network on this engine.
    """

    engine: EngineParameters
    multipliers: int
    memory_bits: int
    estimate: Estimate


def choose(
    network: Network, activity: Activity, board_multipliers: int, board_memory_bits: int
) -> Choice:
    """Choose N, K, C and the number of arrays for the fewest cycles a sample by `estimate`.

    Of engines with equal cycles, it takes the one with the fewest multipliers, then the one with
    the fewest memory bits.

    Parameters
    ----------
    network : Network
    activity : Activity
        Nonzeros of the samples to train on; without data, from `assumed_activity`.
    board_multipliers : int
        Multipliers that the board has.
    board_memory_bits : int
        Bits of block RAM that the board has.

    Returns
    -------
    Choice
        The depth of each of the engine's memories is the least power of two that holds the network.

    Raises
    ------
    FitError
        If no engine fits; the message states the needs of the smallest one.
    """
    smallest = [candidate for n in range(10) for candidate in _engines(network, 1 << n)]
    fitting = [
        engine
        for candidate in smallest
        for engine in _larger(candidate, board_multipliers)
        if memory_bits(engine) <= board_memory_bits
    ]
    if not fitting:
        raise FitError(_shortage(network, smallest, board_multipliers, board_memory_bits))
    choices = [
        Choice(e, multipliers(e), memory_bits(e), estimate(network, e, activity)) for e in fitting
    ]
    return min(choices, key=lambda c: (c.estimate.cycles, c.multipliers, c.memory_bits))


def _larger(engine: EngineParameters, most: int) -> list[EngineParameters]:
    """List `engine` with every K (powers of two) and C that take at most `most` multipliers."""
    result = []
    for power in range(engine.neurons.bit_length()):
        lanes = replace(engine, tangent_lanes=1 << power)
        for cores in range(1, most // multipliers(lanes) + 1):
            result.append(replace(lanes, cores=cores))
    return result


def _engines(network: Network, neurons: int) -> list[EngineParameters]:
    """List the engines of N neurons, one core and one tangent lane that can hold the network."""
    smallest = dict.fromkeys(MEMORIES, 1)
    result = []
    for arrays in (1, 3):
        engine = EngineParameters(neurons, arrays=arrays, **smallest)
        if max(engine.needs(network).values()) <= MOST:
            result.append(engine.grown(network))
    return result


def _shortage(
    network: Network, candidates: list[EngineParameters], has_multipliers: int, has_bits: int
) -> str:
    name = ",".join(map(str, network.sizes))
    if not candidates:
        return f"network {name} does not fit any engine; use a smaller network"
    least = min(map(multipliers, candidates))
    if has_multipliers < least:
        return f"{has_multipliers} multipliers are too few for any engine; it needs {least}"
    affordable = [e for e in candidates if multipliers(e) <= has_multipliers]
    bits = min(map(memory_bits, affordable))
    return (
        f"network {name} does not fit: memory has {has_bits} bits, needed {bits}; "
        "use a smaller network or a board with more memory"
    )

# SPDX-License-Identifier: BSD-2-Clause

"""Commands with the responses the golden model gives, for engines small enough to talk to."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from dualgate.contract import commands
from dualgate.contract.commands import COUNTERS, IDENTITY_FIELDS, MAGIC, PROTOCOL, Op, Status
from dualgate.contract.engine import EngineParameters
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network
from dualgate.contract.sample_commands import dense_words, sample_commands
from dualgate.contract.settings import PRUNE_OFF, Settings
from dualgate_sim.golden.device import GoldenDevice

_PLAIN = EngineParameters(4, layers=4, rows=128, inputs=16, activations=32, vectors=16, groups=4)
ENGINES = {"plain": _PLAIN, "two-cores": replace(_PLAIN, tangent_lanes=2, cores=2)}
WORD = 0xFFFF_FFFF
ANYTHING = None
"""An expected word that is not compared: the golden model has no clock."""

NETWORKS = (
    Network((5, 6, 3), "tanh", "cce"),
    Network((4, 2), (), "mse"),
    Network((6, 5, 4, 2), ("relu", "sigmoid"), "bce"),
    Network((3, 1, 1), "leaky_relu", "sigmoid-mse"),
    Network((4, 9, 3, 5, 1), ("identity", "sigmoid", "tanh"), "mse"),
)


@dataclass(frozen=True)
class Exchange:
    """A whole command and its whole response; or words of padding, and none.

    Parameters
    ----------
    name : str
        For messages.
    command : list of int
    response : list of int or ANYTHING
    """

    name: str
    command: list[int]
    response: list[int | None]


def done(op: Op, command: np.ndarray, payload: list[int | None] | None = None) -> Exchange:
    answer = payload or []
    return Exchange(op.name, command.tolist(), [commands.header(op, len(answer)), *answer])


def words(numbers: np.ndarray) -> list[int | None]:
    return [int(number) & WORD for number in np.ravel(numbers)]


def identify(engine: EngineParameters) -> Exchange:
    fields = {"magic": MAGIC, "protocol": PROTOCOL, **vars(engine)}
    payload: list[int | None] = [fields[name] for name in IDENTITY_FIELDS]
    return done(Op.IDENTIFY, commands.command(Op.IDENTIFY), payload)


def padding(count: int) -> Exchange:
    return Exchange("padding", [0] * count, [])


ANSWERED_AS = {int(Op.TRAIN_DENSE): int(Op.TRAIN), int(Op.INFER_DENSE): int(Op.INFER)}
"""Responses do not tell in which form a sample came."""


def refused(op: int, payload: list[int], status: Status) -> Exchange:
    command = [commands.header(op, len(payload)), *payload]
    answer = commands.header(ANSWERED_AS.get(op, op), 0, status)
    return Exchange(f"{status.name} {op}", command, [answer])


def malformed(network: Network) -> list[Exchange]:
    """Commands that the engine must answer with a status, and that must change nothing."""
    inputs, outputs = network.sizes[0], network.sizes[-1]
    entry = 0 << 16 | 5
    bad_index = inputs << 16 | 5
    pairs, target = dense_words(inputs), [7] * outputs
    wrong = [
        (Op.IDENTIFY, [1]),
        (Op.LAYER, [0] * commands.LAYER_WORDS),
        (Op.LAYER, [0] * (commands.LAYER_WORDS + 2)),
        (Op.SETTINGS, []),
        (Op.SETTINGS, [0] * (commands.SETTINGS_WORDS + 1)),
        (Op.WRITE_WEIGHTS, []),
        (Op.WRITE_WEIGHTS, [0, 1, 2, 3]),
        (Op.WRITE_VELOCITY, [0, 1, 2, 3, 4]),
        (Op.READ_WEIGHTS, [0]),
        (Op.READ_VELOCITY, [0, 1, 1]),
        (Op.TRAIN, target[1:]),
        (Op.TRAIN, target + [entry] * (inputs + 1)),
        (Op.TRAIN, [*target, bad_index]),
        (Op.INFER, [entry] * (inputs + 1)),
        (Op.INFER, [WORD]),
        (Op.TRAIN_DENSE, target + [5] * (pairs - 1)),
        (Op.TRAIN_DENSE, target + [5] * (pairs + 1)),
        (Op.INFER_DENSE, []),
        (Op.INFER_DENSE, [5] * (pairs + 1)),
        *([(Op.TRAIN_DENSE, target + [WORD] * pairs)] if inputs % 2 else []),
        (Op.APPLY, [0]),
        (Op.COUNTERS, [0, 0, 0]),
        (Op.CLEAR_COUNTERS, [0]),
    ]
    unknown = [(0, [4]), (15, [1, 2]), (255, [3])]
    return [
        *(refused(op, payload, Status.LENGTH) for op, payload in wrong),
        *(refused(op, payload, Status.UNKNOWN) for op, payload in unknown),
    ]


class Conversation:
    """Everything a host might say about one network, with the golden model's answers.

    Parameters
    ----------
    engine : EngineParameters
    network : Network
    seed : int
        Of weights, samples and settings.
    """

    update_frac = 14

    def __init__(self, engine: EngineParameters, network: Network, seed: int) -> None:
        self.network = network
        self.random = np.random.default_rng(seed)
        self.golden = GoldenDevice(**vars(engine))
        self.golden.configure(network, self.update_frac)
        self.layout = Layout(network, engine, self.update_frac)

    def exchanges(self) -> Iterator[Exchange]:
        yield done(Op.CLEAR_COUNTERS, commands.command(Op.CLEAR_COUNTERS))
        for index in range(len(self.network.layers)):
            yield done(Op.LAYER, commands.layer_command(self.layout, index))
        yield from self.write()
        for samples, prune in ((1, PRUNE_OFF), (1, 1), (3, 2)):
            yield from self.batch(samples, prune)
        yield from self.write()
        yield from self.batch(2, 4)
        yield self.counters()

    def write(self) -> Iterator[Exchange]:
        shapes = [(layer.rows, layer.outputs) for layer in self.network.layers]
        weights = [self.random.integers(-1 << 29, 1 << 29, shape) for shape in shapes]
        velocity = [self.random.integers(-1 << 36, 1 << 36, shape) for shape in shapes]
        weights[0][0, 0], velocity[-1][0, 0] = -1 << 31, 1 << 44
        self.golden.write_weights(weights)
        self.golden.write_velocity(velocity)
        for op, matrices in ((Op.WRITE_WEIGHTS, weights), (Op.WRITE_VELOCITY, velocity)):
            payload = [0, *self.rows(op, matrices)]
            yield done(op, commands.command(op, np.array(payload)))

    def rows(self, op: Op, matrices: list[np.ndarray]) -> list[int | None]:
        rows = self.layout.to_rows(matrices)
        if op in (Op.WRITE_VELOCITY, Op.READ_VELOCITY):
            rows = np.stack([rows, rows >> 32], axis=-1)
        return words(rows)

    def batch(self, samples: int, prune: int) -> Iterator[Exchange]:
        settings = Settings(
            rate_mantissa=int(self.random.integers(1 << 14, 1 << 15)),
            rate_shift=int(self.random.integers(13, 18)),
            momentum=int(self.random.integers(1 << 15)),
            prune=prune,
        )
        self.golden.set(settings)
        yield done(Op.SETTINGS, commands.settings_command(settings, len(self.network.layers)))
        for _ in range(samples):
            yield self.sample(train=True)
            if self.random.random() < 0.5:
                yield self.sample(train=False)
        yield self.read(Op.READ_WEIGHTS, self.golden.read_weights())
        yield self.sample(train=True)
        yield self.read(Op.READ_VELOCITY, self.golden.read_velocity())
        self.golden.apply()
        yield done(Op.APPLY, commands.command(Op.APPLY))
        yield self.read(Op.READ_WEIGHTS, self.golden.read_weights())
        yield self.read(Op.READ_VELOCITY, self.golden.read_velocity())
        yield self.sample(train=False)

    def sample(self, train: bool) -> Exchange:
        """In either form: whichever is shorter."""
        inputs, outputs = self.network.sizes[0], self.network.sizes[-1]
        share = self.random.choice([0.0, 0.4, 0.8, 1.0])
        x = self.random.integers(-20000, 20000, inputs) * (self.random.random(inputs) < share)
        if not train:
            values = self.golden.infer(x[None])
            return done(Op.INFER, sample_commands(x[None]), words(values))
        target = self.random.integers(-20000, 20000, outputs)
        values = self.golden.train(x[None], target[None])
        return done(Op.TRAIN, sample_commands(x[None], target[None]), words(values))

    def read(self, op: Op, matrices: list[np.ndarray]) -> Exchange:
        return done(op, commands.command(op, [0, self.layout.rows]), self.rows(op, matrices))

    def counters(self) -> Exchange:
        counts = vars(self.golden.counters())
        payload: list[int | None] = []
        for name in COUNTERS:
            low, high = counts[name] & WORD, counts[name] >> 32
            payload += [ANYTHING, ANYTHING] if name == "cycles" else [low, high]
        return done(Op.COUNTERS, commands.command(Op.COUNTERS), payload)


def conversation(
    engine: EngineParameters, network: Network, seed: int, mistakes: float = 0.0
) -> list[Exchange]:
    """A whole conversation with padding, malformed commands in a share `mistakes` of the places."""
    dice = random.Random(seed)
    wrong = malformed(network)
    configured = False
    result = [identify(engine)]
    for exchange in Conversation(engine, network, seed).exchanges():
        if dice.random() < 0.3:
            result.append(padding(dice.randint(1, 5)))
        if configured and dice.random() < mistakes:
            result.append(dice.choice(wrong))
        configured = configured or exchange.name == Op.SETTINGS.name
        result.append(exchange)
    return result

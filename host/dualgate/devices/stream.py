# SPDX-License-Identifier: BSD-2-Clause

"""A device that is controlled by a stream of commands, over any link."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from ..contract import commands
from ..contract.commands import COUNTERS, IDENTITY_FIELDS, MAGIC, PROTOCOL, Masks, Op, Status, Words
from ..contract.engine import WORD_BITS, EngineParameters
from ..contract.errors import DeviceError, InputError
from ..contract.formats import MASTER_WIDTH, MAX_SHARE, VELOCITY_WIDTH
from ..contract.layout import Layout
from ..contract.network import Network, check_shapes
from ..contract.sample_commands import pack_masks, sample_commands
from ..contract.settings import Settings
from .base import Counters, EngineDevice

Ints = NDArray[np.int64]

SAMPLES = 2 * MAX_SHARE
"""Number of samples in one exchange: enough to keep all lanes busy, and at most the number whose
products two cores can sum."""


class StreamDevice(EngineDevice):
    """The device interface, implemented by commands; subclasses transfer the words.

    The engine itself reports its parameters, so that a configuration cannot contradict them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._engine: EngineParameters | None = None
        self._masked = False
        self._dealt = 0
        self._unwritten: set[Op] = set()

    @abstractmethod
    def exchange(self, words: Words, responses: int, capacity: int) -> Words:
        """Send complete commands and return their complete responses.

        Parameters
        ----------
        words : uint32 array
        responses : int
            Number of commands in `words`.
        capacity : int
            Largest total number of words of the responses.
        """

    def identify(self) -> EngineParameters:
        """Read the parameters of the engine.

        Raises
        ------
        DeviceError
            If it is no engine, or has another version of the protocol.
        """
        words = self._call(Op.IDENTIFY, [], len(IDENTITY_FIELDS))
        found = dict(zip(IDENTITY_FIELDS, (int(word) for word in words), strict=True))
        if found.pop("magic") != MAGIC:
            raise DeviceError("the device is not a dualgate engine; check the address")
        protocol = found.pop("protocol")
        if protocol != PROTOCOL:
            raise DeviceError(
                f"the engine has protocol version {protocol}, this host {PROTOCOL}; "
                "rebuild one of them"
            )
        return EngineParameters(**found)

    def configure(self, network: Network, update_frac: int) -> None:
        self._engine = self._engine or self.identify()
        self._layout = layout = Layout(network, self._engine, update_frac)
        for index in range(len(network.layers)):
            self._checked(commands.layer_command(layout, index), [Op.LAYER], 0)
        self._unwritten = {Op.WRITE_WEIGHTS, Op.WRITE_VELOCITY}
        self._samples = 0

    def set(self, settings: Settings) -> None:
        self._check_settings(settings)
        layers = len(self.layout.network.layers)
        self._checked(commands.settings_command(settings, layers), [Op.SETTINGS], 0)
        self._masked = settings.masked

    def write_weights(self, weights: Sequence[Ints]) -> None:
        self._write_rows(Op.WRITE_WEIGHTS, weights, 1)

    def read_weights(self) -> list[Ints]:
        return self._read_rows(Op.READ_WEIGHTS, 1)

    def write_velocity(self, velocity: Sequence[Ints]) -> None:
        self._write_rows(Op.WRITE_VELOCITY, velocity, 2)
        self._dealt = 0

    def read_velocity(self) -> list[Ints]:
        return self._read_rows(Op.READ_VELOCITY, 2)

    def train(self, x: Ints, target: Ints, masks: Masks | None = None) -> Ints:
        self._begin_samples(len(x), self._masked, masks)
        packed = None if masks is None else pack_masks(self.layout.network, masks)
        return self._outputs(Op.TRAIN, x, target, packed)

    def infer(self, x: Ints) -> Ints:
        return self._outputs(Op.INFER, x)

    def apply(self) -> None:
        self._write_missing()
        self._call(Op.APPLY, [], 0)
        self._samples = self._dealt = 0

    def counters(self) -> Counters:
        words = self._call(Op.COUNTERS, [], 2 * len(COUNTERS)).astype(np.uint64)
        values = words[0::2] | words[1::2] << np.uint64(WORD_BITS)
        return Counters(
            **{field.name: int(v) for field, v in zip(fields(Counters), values, strict=True)}
        )

    def _write_missing(self) -> None:
        """Write zeros where the user has written nothing since `configure`."""
        if not self._unwritten:
            return
        zero = [np.zeros((n.rows, n.outputs), np.int64) for n in self.layout.network.layers]
        if Op.WRITE_WEIGHTS in self._unwritten:
            self.write_weights(zero)
        if Op.WRITE_VELOCITY in self._unwritten:
            self.write_velocity(zero)

    def _deal(self, op: Op, count: int) -> None:
        """Make sure that the cores can sum products of `count` samples; see `formats.MAX_SHARE`.

        Writing the velocity clears the sums of all cores but the first. Within a batch, samples for
        inference count as well, since the cores receive samples in rotation.
        """
        cores = self.layout.engine.cores
        if cores == 1 or (op == Op.INFER and not self._dealt):
            return
        if self._dealt + count > cores * MAX_SHARE:
            self.write_velocity(self.read_velocity())
        self._dealt += count

    def _call(self, op: Op, payload: Sequence[int] | Ints, answer: int) -> Words:
        """Send one command; returns the payload of its response, `answer` words."""
        return self._checked(commands.command(op, np.asarray(payload, np.int64)), [op], answer)[0]

    def _checked(self, words: Words, ops: list[Op], answer: int) -> list[Words]:
        """Exchange commands whose responses have `answer` words each, and check all headers."""
        got = commands.parse_responses(self.exchange(words, len(ops), len(ops) * (1 + answer)))
        if [r.op for r in got] != ops or any(len(r.payload) != answer for r in got if not r.status):
            raise DeviceError("the responses do not match the commands; reset the device")
        for response in got:
            if response.status:
                raise DeviceError(
                    f"the device refused {Op(response.op).name} with status "
                    f"{Status(response.status).name}; reset it"
                )
        return [response.payload for response in got]

    def _outputs(
        self, op: Op, x: Ints, target: Ints | None = None, masks: Words | None = None
    ) -> Ints:
        self._write_missing()
        width = self.layout.network.sizes[-1]
        result = np.empty((len(x), width), np.int64)
        for start in range(0, len(x), SAMPLES):
            part = slice(start, start + SAMPLES)
            count = len(x[part])
            self._deal(op, count)
            words = sample_commands(
                x[part],
                None if target is None else target[part],
                None if masks is None else masks[part],
            )
            answers = self._checked(words, [op] * count, width)
            result[part] = np.stack(answers).view(np.int32)
        return result

    def _write_rows(self, op: Op, matrices: Sequence[Ints], words: int) -> None:
        check_shapes(self.layout.network, matrices)
        width = MASTER_WIDTH if words == 1 else VELOCITY_WIDTH
        limit = 1 << (width - 1)
        if any(m.size and not (-limit <= m.min() and m.max() < limit) for m in matrices):
            raise InputError(f"{op.name}: a number does not fit {width} bits; check the weights")
        rows = self.layout.to_rows(matrices)
        split = np.stack([rows >> (WORD_BITS * part) for part in range(words)], axis=-1)
        flat = split.reshape(len(rows), -1)
        chunk = self._chunk(words)
        self._unwritten.discard(op)
        for start in range(0, len(rows), chunk):
            part = flat[start : start + chunk].ravel()
            self._call(op, np.concatenate(([start], part)), 0)

    def _read_rows(self, op: Op, words: int) -> list[Ints]:
        self._write_missing()
        layout = self.layout
        lanes = layout.engine.neurons
        parts = []
        chunk = self._chunk(words)
        for start in range(0, layout.rows, chunk):
            count = min(chunk, layout.rows - start)
            got = self._call(op, [start, count], count * lanes * words)
            parts.append(got.reshape(count, lanes, words))
        raw = np.concatenate(parts)
        high = raw[..., -1].view(np.int32).astype(np.int64)
        if words == 1:
            return layout.from_rows(high)
        return layout.from_rows(high << WORD_BITS | raw[..., 0].astype(np.int64))

    def _chunk(self, words: int) -> int:
        """Return the largest number of rows in one command."""
        return (commands.MAX_PAYLOAD - 1) // (self.layout.engine.neurons * words)

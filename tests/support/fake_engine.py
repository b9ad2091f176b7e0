# SPDX-License-Identifier: BSD-2-Clause

"""A device that answers the commands, without an engine behind it."""

import numpy as np

from dualgate.contract import commands
from dualgate.contract.commands import (
    IDENTITY_FIELDS,
    MAGIC,
    PROTOCOL,
    Op,
    Words,
)
from dualgate.contract.engine import EngineParameters
from dualgate.devices.stream import StreamDevice

ENGINE = EngineParameters(2, rows=8192, inputs=8192)


class FakeEngine(StreamDevice):
    """Keeps rows and answers with zeros; `spoil` may change any answer.

    Members
    -------
    identity : dict, what IDENTIFY says
    said : operations received, with their payload lengths
    """

    def __init__(self) -> None:
        super().__init__()
        self.identity = {"magic": MAGIC, "protocol": PROTOCOL, **vars(ENGINE)}
        self.said: list[tuple[Op, int]] = []
        self.rows: dict[tuple[Op, int], list[int]] = {}
        self.outputs = 1

    def close(self) -> None:
        pass

    def exchange(self, words: Words, responses: int, capacity: int) -> Words:
        answers: list[int] = []
        for command in commands.parse_responses(words):
            op = Op(command.op)
            self.said.append((op, len(command.payload)))
            payload = self.answer(op, command.payload.tolist())
            answers += [commands.header(op, len(payload)), *payload]
        assert len(answers) <= capacity
        return self.spoil(np.array(answers, np.uint32))

    def answer(self, op: Op, payload: list[int]) -> list[int]:
        if op == Op.IDENTIFY:
            return [self.identity[name] for name in IDENTITY_FIELDS]
        if op in (Op.TRAIN, Op.INFER):
            return [0] * self.outputs
        wide = 2 if op in (Op.WRITE_VELOCITY, Op.READ_VELOCITY) else 1
        size = ENGINE.neurons * wide
        if op in (Op.WRITE_WEIGHTS, Op.WRITE_VELOCITY):
            for index in range(1, len(payload), size):
                row = payload[0] + index // size
                self.rows[op, row] = payload[index : index + size]
        if op in (Op.READ_WEIGHTS, Op.READ_VELOCITY):
            written = Op.WRITE_WEIGHTS if wide == 1 else Op.WRITE_VELOCITY
            first, count = payload
            return [w for row in range(first, first + count) for w in self.rows[written, row]]
        return [0] * 2 * len(commands.COUNTERS) if op == Op.COUNTERS else []

    def spoil(self, answer: Words) -> Words:
        return answer

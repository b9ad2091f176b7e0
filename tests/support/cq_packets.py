# SPDX-License-Identifier: BSD-2-Clause

"""Requests as the UltraScale+ block gives them, and completions as it takes them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from amaranth.lib import data

from dualgate_hw.link.pcie.ultrascale_types import COMPLETION, CQ_USER, REQUEST, RequestType

Beat = dict[str, int]


@dataclass
class Request:
    """A request, with a distinct value in every field that a completion repeats."""

    type: int
    offset: int = 0
    length: int = 1
    words: list[int] = field(default_factory=list)
    first: int = 15
    last: int = 15
    bar: int = 0
    tag: int = 0x5A
    damaged: bool = False

    @property
    def note(self) -> dict[str, int]:
        last = self.last if self.length > 1 else 0
        return {"first": self.first, "last": last, "hint": 1, "hint_type": 2, "hint_tag": 0x3C}

    @property
    def fields(self) -> dict[str, int]:
        return {
            "translation": 2,
            "address": 0xC123_4560_0000_0000 + self.offset >> 2,
            "length": self.length,
            "type": self.type,
            "requester": 0xBEEF,
            "tag": self.tag,
            "function": 1,
            "bar": self.bar,
            "aperture": 14,
            "traffic": 5,
            "attributes": 3,
        }

    def beats(self) -> list[Beat]:
        head = as_words(REQUEST.const(self.fields))
        words = [*head, *self.words]
        beats = []
        for at in range(0, len(words), 2):
            pair, ends = words[at : at + 2], at + 2 >= len(words)
            user: dict[str, int] = {"discontinue": int(self.damaged and ends)}
            if at == 0:
                user |= {"start": 1, **self.note}
            beats.append(
                {
                    "tdata": sum(word << 32 * i for i, word in enumerate(pair)),
                    "tkeep": 1 if len(pair) == 1 else 3,
                    "tlast": int(ends),
                    "tuser": CQ_USER.const(user).as_value().value,
                }
            )
        return beats


def as_words(constant: data.Const) -> list[int]:
    value = constant.as_value()
    return [value.value >> at & 0xFFFF_FFFF for at in range(0, len(value), 32)]


def write(offset: int, words: Sequence[int], **others: Any) -> Request:
    return Request(RequestType.MEMORY_WRITE, offset, len(words), list(words), **others)


def read(offset: int, length: int = 1, **others: Any) -> Request:
    return Request(RequestType.MEMORY_READ, offset, length, **others)


async def ask(ctx: Any, cq: Any, requests: Sequence[Request], odds: float = 0.0) -> None:
    """Offer requests, beat by beat; `odds` is the probability of a pause before a beat."""
    dice = random.Random(1)
    for beat in [beat for request in requests for beat in request.beats()]:
        while dice.random() < odds:
            await ctx.tick()
        for name, value in beat.items():
            ctx.set(getattr(cq, name), value)
        ctx.set(cq.tvalid, 1)
        await ctx.tick().until(cq.tready)
        ctx.set(cq.tvalid, 0)


async def answers(
    ctx: Any, cc: Any, count: int, odds: float = 0.0
) -> list[tuple[dict[str, int], list[int]]]:
    """Take completions; returns the descriptor of each, and the words that follow it.

    Raises
    ------
    AssertionError
        When `tvalid` falls inside of a packet, which the block forbids.
    """
    dice = random.Random(2)
    got: list[tuple[dict[str, int], list[int]]] = []
    words: list[int] = []
    while len(got) < count:
        ready = dice.random() >= odds
        ctx.set(cc.tready, ready)
        sampled = (await ctx.tick().sample(cc.tvalid, cc.tdata, cc.tkeep, cc.tlast))[2:]
        valid, value, keep, last = (int(part) for part in sampled)
        assert valid or not words, "a completion was interrupted"
        if valid and ready:
            words += [value & 0xFFFF_FFFF] + [value >> 32] * (keep == 3)
            if last:
                packed = sum(word << 32 * i for i, word in enumerate(words[:3]))
                descriptor = COMPLETION.from_bits(packed)
                got.append(({name: int(descriptor[name]) for name, _ in COMPLETION}, words[3:]))
                words = []
    ctx.set(cc.tready, 0)
    return got

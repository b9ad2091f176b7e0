# SPDX-License-Identifier: BSD-2-Clause

"""The host's formulas in docs/reference/numerics.md, line by line, against its results."""

import math
import re
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import examples
from support.paths import REFERENCE

from dualgate.contract.network import Network
from dualgate.contract.settings import batch_gradient, gradient_frac
from dualgate.optim.optimisers import OPTIMISERS
from dualgate.optim.regularisation import Penalty
from dualgate.optim.schedules import SCHEDULES, parse_schedule

PAGE = (REFERENCE / "numerics.md").read_text()

BLOCK = re.compile(r"^    # ([a-z-]+)(?:, (.*))?\n((?:    .*\n)+)", re.M)
"""A name, defaults and lines of Python."""

FORMULAS = {
    name: (given, re.sub("^    ", "", code, flags=re.M))
    for name, given, code in BLOCK.findall(PAGE)
}

FINITE = st.floats(-1e6, 1e6)


def test_the_page_has_every_optimiser_and_schedule() -> None:
    assert set(FORMULAS) == {*OPTIMISERS, *SCHEDULES}


@pytest.mark.parametrize("name", OPTIMISERS)
@examples(40)
@given(seed=st.integers(0, 2**32 - 1), lr=st.floats(1e-6, 10), momentum=st.floats(0, 0.99))
def test_an_optimiser_follows_its_lines_to_the_last_bit(
    name: str, seed: int, lr: float, momentum: float
) -> None:
    random = np.random.default_rng(seed)
    kind = OPTIMISERS[name]
    given, code = FORMULAS[name]
    known = {"momentum": momentum} if "momentum" in {f.name for f in fields(kind)} else {}
    optimiser = kind(lr, **known)
    w = random.normal(size=(4, 3))
    values = dict.fromkeys("vsdm", np.zeros_like(w)) | {"lr": lr, "sqrt": np.sqrt} | known
    for default in filter(None, given.split(", ")):
        exec(default, values)
    state = optimiser.start([w])
    for number in range(1, 6):
        g = random.normal(size=w.shape) * 10.0 ** random.integers(-9, 3, w.shape)
        values |= {"g": g, "t": number}
        exec(code, values)
        (moved,), state = optimiser.step([w], [g], state)
        np.testing.assert_array_equal(moved, w - values["move"])
        w = moved


@pytest.mark.parametrize("name", SCHEDULES)
@examples(60)
@given(
    first=st.floats(1e-6, 10),
    factor=st.floats(0, 4),
    epochs=st.floats(0.01, 20),
    epoch=st.integers(1, 1000),
    batches=st.integers(0, 100_000),
)
def test_a_schedule_follows_its_line_to_the_last_bit(
    name: str, first: float, factor: float, epochs: float, epoch: int, batches: int
) -> None:
    every = max(1, round(epochs * epoch))
    if factor > 1 and batches / every > 100:
        batches %= every
    values = {"first": first, "factor": factor, "batches": batches, "every": every}
    exec(FORMULAS[name][1], values | {"sqrt": math.sqrt}, values)
    schedule = parse_schedule(f"{name}:{factor!r}:{epochs!r}", first, epoch)
    assert callable(schedule)
    assert schedule(batches) == values["lr"]


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 100))
def test_a_gradient_follows_its_lines_to_the_last_bit(
    seed: int, l1: float, l2: float, heaviest: float
) -> None:
    random = np.random.default_rng(seed)
    network, batch = Network((4, 3), (), "mse"), int(random.integers(1, 1000))
    (layer,) = network.layers
    velocity = random.integers(-(1 << 45), 1 << 45, (5, 3))
    w = random.normal(size=velocity.shape)
    first, second = re.findall(r"^    (g = .*?)(?:  +not for biases)?$", PAGE, re.M)
    values = {"velocity": velocity.astype(float), "in_frac": layer.in_frac, "batch": batch}
    values |= {"update_frac": gradient_frac(network), "scale": 2 / 3, "heaviest": heaviest}
    exec(first, values)
    (gradient,) = batch_gradient(network, [velocity], batch)
    np.testing.assert_array_equal(gradient * heaviest, values["g"])
    values |= {"w": w[:-1], "l1": l1, "l2": l2, "sign": np.sign}
    bias, values["g"] = values["g"][-1], values["g"][:-1]
    exec(second, values)
    (total,) = Penalty(l1, l2).add([gradient * heaviest], [w])
    np.testing.assert_array_equal(total, np.vstack((values["g"], bias)))

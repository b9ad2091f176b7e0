# SPDX-License-Identifier: BSD-2-Clause

"""Optimisers and schedules: steps by hand, state, precision and bad numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dualgate.contract.errors import InputError
from dualgate.optim.optimisers import (
    OPTIMISERS,
    SGD,
    AdaDelta,
    Adagrad,
    Adam,
    Momentum,
    Nesterov,
    Optimiser,
    RMSProp,
    find_optimiser,
)
from dualgate.optim.schedules import (
    Exponential,
    InverseRoot,
    InverseTime,
    Schedule,
    Staircase,
    parse_schedule,
)
from dualgate_sim.testing import reference

EACH: list[Optimiser] = [
    SGD(0.1),
    Momentum(0.1),
    Nesterov(0.1),
    Adagrad(0.1),
    AdaDelta(),
    RMSProp(),
    Adam(),
]


def test_every_optimiser_is_listed_and_found() -> None:
    assert {type(o) for o in EACH} == set(OPTIMISERS.values())
    assert find_optimiser("adam") is Adam
    with pytest.raises(InputError, match=r"^unknown optimiser 'best'; choose sgd, momentum, "):
        find_optimiser("best")


@pytest.mark.parametrize(
    ("optimiser", "moves"),
    [
        (SGD(0.5), [1.0, 2.0]),
        (Momentum(0.5, 0.5), [1.0, 2.5]),
        (Nesterov(0.5, 0.5), [1.5, 3.25]),
        (Adagrad(0.5, 0.0), [0.5, 0.5 * 4 / 20**0.5]),
        (RMSProp(0.5, 0.75, 0.0), [1.0, 0.5 * 4 / (0.75 + 4) ** 0.5]),
        (Adam(0.5, 0.5, 0.75, 0.0), [0.5, 0.5 * (2.5 / 0.75) / ((0.75 + 4) / (7 / 16)) ** 0.5]),
        (
            AdaDelta(2.0, 0.75, 1.0),
            [2 * 2 / 2**0.5, 2 * 4 * (0.25 * 2 + 1) ** 0.5 / (0.75 + 4 + 1) ** 0.5],
        ),
    ],
)
def test_two_steps_by_hand(optimiser: Optimiser, moves: list[float]) -> None:
    weights = [np.array([10.0])]
    state = optimiser.start(weights)
    for gradient, move in zip((2.0, 4.0), moves, strict=True):
        moved, state = optimiser.step(weights, [np.array([gradient])], state)
        assert weights[0][0] - moved[0][0] == pytest.approx(move, rel=1e-12)
        weights = moved
    assert state.batches == 2


def test_momentum_is_the_rule_of_the_engine() -> None:
    random = np.random.default_rng(0)
    ours = theirs = [random.standard_normal((4, 3))]
    state, velocity = Momentum(0.1, 0.75).start(ours), [np.zeros((4, 3))]
    for lr in (0.1, 0.1, 0.02):  # also where the rate changes on the way
        slope = [random.standard_normal((4, 3))]
        ours, state = Momentum(lr, 0.75).step(ours, slope, state)
        theirs, velocity = reference.descend(theirs, velocity, slope, lr, 0.75)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-13)


@pytest.mark.parametrize("optimiser", EACH, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_keeps_precision_and_changes_no_argument(optimiser: Optimiser, dtype: Any) -> None:
    random = np.random.default_rng(1)
    weights = [random.standard_normal((3, 2)).astype(dtype), np.ones(4, dtype)]
    slopes = [random.standard_normal((3, 2)).astype(dtype), np.ones(4, dtype)]
    start = optimiser.start(weights)
    copies = [a.copy() for a in (*weights, *slopes)]
    moved, state = optimiser.step(weights, slopes, start)
    again, _ = optimiser.step(weights, slopes, start)
    for old, new, repeated in zip(weights, moved, again, strict=True):
        assert new.dtype == dtype
        assert not np.array_equal(old, new)
        assert np.array_equal(new, repeated)
    assert all(np.array_equal(a, b) for a, b in zip((*weights, *slopes), copies, strict=True))
    assert (start.batches, state.batches) == (0, 1)
    assert [len(kept) for kept in state.slots] == [optimiser.slots] * 2
    assert all(a.dtype == dtype for kept in state.slots for a in kept)
    assert not any(a.any() for kept in start.slots for a in kept)


@pytest.mark.parametrize("optimiser", EACH, ids=lambda o: type(o).__name__)
def test_a_parabola_is_descended(optimiser: Optimiser) -> None:
    weights = [np.array([3.0, -2.0])]
    state = optimiser.start(weights)
    first = float((weights[0] ** 2).sum())
    for _ in range(300):
        weights, state = optimiser.step(weights, [2 * weights[0]], state)
    assert float((weights[0] ** 2).sum()) < 0.9 * first


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (InverseTime(1.0, 0.5), {0: 1.0, 2: 0.5, 6: 0.25}),
        (InverseTime(1.0, 0.5, 10), {0: 1.0, 20: 0.5}),
        (InverseRoot(2.0, 1.0), {0: 2.0, 3: 1.0}),
        (Exponential(1.0, 0.25), {0: 1.0, 1: 0.25}),
        (Exponential(1.0, 0.25, 2), {0: 1.0, 1: 0.5, 2: 0.25}),
        (Staircase(1.0, 0.5, 3), {0: 1.0, 2: 1.0, 3: 0.5, 5: 0.5, 6: 0.25}),
    ],
)
def test_a_schedule_falls_as_its_formula_says(schedule: Schedule, rates: dict[int, float]) -> None:
    assert {n: schedule(n) for n in rates} == pytest.approx(rates, rel=1e-15)


def test_an_optimiser_asks_its_schedule_at_every_batch() -> None:
    optimiser = SGD(Staircase(1.0, 0.5))
    weights, state = [np.zeros(1)], SGD(1.0).start([np.zeros(1)])
    for _ in range(3):
        weights, state = optimiser.step(weights, [np.ones(1)], state)
    assert weights[0][0] == -1.75
    single = [np.zeros(1, np.float32)]
    moved, _ = SGD(lambda n: np.float64(0.1)).step(single, single, SGD(1.0).start(single))
    assert moved[0].dtype == np.float32


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(0.0), r"^learning rate 0.0: give a number above 0$"),
        (lambda: Adam(float("nan")), r"^learning rate nan: give a number above 0$"),
        (lambda: Momentum(0.1, 1.0), r"^momentum 1.0: give a number from 0 to below 1$"),
        (lambda: Nesterov(0.1, -0.1), r"^momentum -0.1: give a number from 0 to below 1$"),
        (lambda: Adam(0.1, square_decay=2.0), r"^square_decay 2.0: give"),
        (lambda: RMSProp(0.1, epsilon=-1.0), r"^epsilon -1.0: give a number from 0 to below inf$"),
        (lambda: InverseTime(-1.0, 0.1), r"^learning rate -1.0: give"),
        (lambda: Exponential(1.0, -0.1), r"^factor -0.1 of a schedule: give a number of 0 or"),
        (lambda: Staircase(1.0, 0.1, 0), r"^schedule with a step every 0 batches: give 1 or more$"),
    ],
)
def test_numbers_out_of_range_are_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_schedules_are_read_by_their_names() -> None:
    assert parse_schedule("constant", 0.5, 10) == 0.5
    for text, want in (
        ("exponential:0.5", Exponential(0.4, 0.5, 10)),
        ("staircase:0.5:2", Staircase(0.4, 0.5, 20)),
        ("inverse-time:1:0.05", InverseTime(0.4, 1.0, 1)),
        ("inverse-root:0", InverseRoot(0.4, 0.0, 10)),
    ):
        assert parse_schedule(text, 0.4, 10) == want


@pytest.mark.parametrize(
    "text", ["", "staircase", "linear:1", "staircase:x", "staircase:1:0", "staircase:1:2:3"]
)
def test_a_schedule_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^schedule .*: give constant or NAME:FACTOR\[:EPOCHS\]"):
        parse_schedule(text, 0.1, 10)

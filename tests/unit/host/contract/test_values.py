# SPDX-License-Identifier: BSD-2-Clause

"""Values of settings: strict types, and one line for each that is refused."""

import math
from typing import Any

import numpy as np
import pytest

from dualgate.contract.errors import InputError
from dualgate.contract.network import Network
from dualgate.contract.values import Amount, Count, Positive, Real, Share, Whole, checked
from dualgate.floating import FloatRecipe
from dualgate.optim.optimisers import SGD, Adam, Momentum
from dualgate.optim.regularisation import Dropout, EarlyStopping, Penalty
from dualgate.optim.schedules import Exponential, Staircase, parse_schedule
from dualgate.train.recipe import Recipe

INFINITE = (math.inf, -math.inf, math.nan)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (Whole, (1.0, 1.5, "1", True, None, [1], 1 << 63, 10**5000, np.float64(1), np.eye(9))),
        (Count, (-1, 0.5, np.int64(-1))),
        (Real, (*INFINITE, "1", True, None, 10**400, np.float32(math.inf))),
        (Amount, (*INFINITE, -0.1)),
        (Positive, (*INFINITE, 0.0, -1)),
        (Share, (*INFINITE, -0.1, 1.01)),
    ],
)
def test_a_value_of_another_kind_is_one_line(kind: Any, wrong: tuple[Any, ...]) -> None:
    for value in wrong:
        with pytest.raises(InputError, match=r"^size .*: give a (finite |whole )?number") as error:
            checked("size", value, kind)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("kind", "value", "same"),
    [
        (Whole, np.int16(3), 3),
        (Whole, np.array(3), 3),
        (Real, np.float32(0.5), 0.5),
        (Real, 2, 2.0),
        (Share, 1, 1.0),
        (Count, (1 << 63) - 1, (1 << 63) - 1),
    ],
)
def test_a_number_of_numpy_becomes_one_of_python(kind: Any, value: Any, same: Any) -> None:
    found = checked("size", value, kind)
    assert found == same
    assert type(found) is type(same)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizes": "483"}, "^sizes '483': give whole numbers"),
        ({"sizes": (6, 8.7, 3)}, r"^sizes \(6, 8.7, 3\): give whole numbers"),
        ({"sizes": (6, True)}, "^sizes"),
        ({"sizes": 6}, "^sizes 6"),
        ({"sizes": [1] * 1025}, "^sizes"),
        ({"activation": 3}, "^activation 3: give a name, or a tuple of names"),
        ({"activation": ("relu", 3)}, "^activation"),
        ({"loss": None}, "^loss None: give a name"),
        ({"loss": "x" * 1025}, "^loss 'x"),
        ({"input_frac": 12.0}, r"^input frac 12.0: give a whole number"),
        ({"frozen": "0"}, "^frozen '0'"),
        ({"frozen": (0.5,)}, "^frozen"),
    ],
)
def test_a_network_of_other_types_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Network(**{"sizes": (6, 8, 3), **change})


def test_sizes_may_be_any_sequence_of_whole_numbers() -> None:
    same = Network((6, 8, 3), ("tanh",), frozen=(0, 1))
    assert Network([6, 8, 3], ["tanh"], frozen=[1, 0, 0]) == same  # type: ignore[arg-type]
    assert Network(np.array([6, 8, 3]), ("tanh",), frozen={0, 1}) == same  # type: ignore[arg-type]
    assert Network((np.int64(6), 8, 3), ("tanh",), frozen=range(2)) == same  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 1.0}, "^epochs 1.0: give a whole number"),
        ({"epochs": 10**30}, "^epochs 1"),
        ({"batch": "16"}, "^batch '16'"),
        ({"lr": "0.1"}, "^lr '0.1': give a number"),
        ({"lr": math.inf}, "^learning rate inf"),
        ({"momentum": "0.9"}, "^momentum '0.9': give a number"),
        ({"prune": 2.5}, "^prune 2.5: give a whole number"),
        ({"prune": 16}, "^prune 16: give 1 to 14, or 15 for off"),
        ({"seed": 1.5}, "^seed 1.5: give a whole number of 0 or more"),
        ({"seed": 1 << 128}, "^a seed of 129 bits: give 128 at most"),
        ({"seed": 10**5000}, "^a seed of 16610 bits"),
        ({"shift": 0.5}, "^shift 0.5: give a whole number of 0 or more"),
        ({"patience": True}, "^patience True"),
        ({"optimiser": 3}, "^optimiser 3"),
        ({"schedule": None}, "^schedule None"),
        ({"l1": "x"}, "^l1 'x'"),
        ({"l2": math.nan}, "^L2 penalty nan"),
        ({"l2": 1e300}, r"^L2 penalty 1e\+300: give 1e\+06 at most"),
        ({"dropout": "half"}, "^dropout 'half'"),
        ({"class_weights": "12"}, "^class weights '12'"),
        ({"class_weights": (1, math.inf)}, r"^class weights \(1, inf\): give numbers above 0"),
        ({"initialiser": 3}, "^initialiser 3"),
    ],
)
def test_a_recipe_of_other_types_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Recipe(**{"epochs": 1, "batch": 1, "lr": 0.1, **change})


@pytest.mark.parametrize(
    "make",
    [
        lambda: SGD("0.1"),  # type: ignore[arg-type]
        lambda: Momentum(0.1, "0.9"),  # type: ignore[arg-type]
        lambda: Adam(epsilon=None),  # type: ignore[arg-type]
        lambda: Penalty(l1="1"),  # type: ignore[arg-type]
        lambda: Dropout("0.5"),  # type: ignore[arg-type]
        lambda: EarlyStopping(1.5),  # type: ignore[arg-type]
        lambda: EarlyStopping(1, "0"),  # type: ignore[arg-type]
        lambda: Exponential(0.1, "2"),  # type: ignore[arg-type]
        lambda: Staircase(0.1, 0.5, 1.5),  # type: ignore[arg-type]
        lambda: parse_schedule("staircase:0.5:1e300", 0.1, 10),
        lambda: FloatRecipe(1, 2.5, SGD(0.1)),  # type: ignore[arg-type]
    ],
)
def test_the_parts_of_a_recipe_check_their_types_alone(make: Any) -> None:
    with pytest.raises(InputError, match=r"^[^\n]+: give [^\n]+$"):
        make()

# SPDX-License-Identifier: BSD-2-Clause

"""Types of the estimators' settings: what is taken, and what is refused in one line."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from support.small_runs import blobs

from dualgate.contract.errors import InputError
from dualgate.estimator import Classifier, Regressor
from dualgate.floating import LargestPerNumber

DATA = blobs(60)
LABELS = np.arange(60) % 3


def fit(**settings: Any) -> Classifier:
    return Classifier(**{"epochs": 1, **settings}).fit(DATA.x, LABELS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("epochs", "batch", "patience") for value in (2.5, "2", True)),
        *((name, value) for name in ("lr", "momentum", "l2") for value in ("0.1", None, False)),
        *(("hidden", value) for value in ((8.5,), "8", (8, "4"), (True,), 8.5, None, [[8]])),
        *(("frozen", value) for value in (None, (0.5,), "0")),
        *(("activation", value) for value in (None, 1, ("tanh", 2), (None,))),
        *((name, None) for name in ("device", "schedule", "optimiser", "scale", "prune")),
        *(("seed", value) for value in ("0", 1.5, True)),
        *(("weights", value) for value in (3, "w")),
        *(("verbose", value) for value in ("yes", -1)),
        ("warm_start", "yes"),
        ("loss", 3),
        ("shift", 0.5),
        ("validation_fraction", "0.1"),
        ("class_weight", "fair"),
        ("class_weight", {0: "heavy"}),
        ("lr", float("nan")),
    ],
)
def test_a_setting_of_a_wrong_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=rf"^The '{name}.*' parameter of Classifier must be .*\.$"):
        fit(**{name: value})


def sizes(hidden: Any) -> tuple[int, ...]:
    return fit(hidden=hidden).checkpoint_.network.sizes


def test_hidden_layers_are_given_as_for_scikit_learn() -> None:
    assert sizes(8) == sizes(np.int32(8)) == (6, 8, 3)
    assert sizes([8, 4]) == sizes(np.array([8, 4])) == (6, 8, 4, 3)
    assert fit(hidden=(8, 4), frozen=0).checkpoint_.network.frozen == (0,)


def test_numbers_of_numpy_train_the_same_and_can_be_saved(tmp_path: Any) -> None:
    settings = {"epochs": 2, "batch": 16, "lr": 0.125, "seed": 3, "patience": 1, "dropout": 0.25}
    kinds = {int: np.int16, float: np.float32}
    ours = fit(**settings)
    theirs = fit(**{name: kinds[type(value)](value) for name, value in settings.items()})
    assert ours.loss_curve_ == theirs.loss_curve_
    theirs.checkpoint_.save(tmp_path / "run.npz")


def test_seeds_are_numbers_generators_or_nothing() -> None:
    def draw(seed: Any) -> int:
        return fit(seed=seed).checkpoint_.recipe.seed

    assert draw(7) == 7
    assert draw(np.random.RandomState(1)) == draw(np.random.RandomState(1))
    assert draw(np.random.default_rng(1)) == draw(np.random.default_rng(1))
    assert draw(None) != draw(None)
    state = np.random.RandomState(1)
    assert draw(state) != draw(state)


@pytest.mark.parametrize("share", ["1/4", "0.25", 0.25, Fraction(1, 4), np.float32(0.25)])
def test_a_share_to_prune_is_a_number_or_a_name(share: Any) -> None:
    model = fit(prune=share)
    assert model.checkpoint_.recipe.prune == 2
    assert clone(model).prune == share


@pytest.mark.parametrize("share", ["1/3", 0.3, 0, 1, "all", "1/0", -0.5])
def test_a_share_that_is_no_power_of_two_is_refused(share: Any) -> None:
    with pytest.raises(InputError, match=r"^prune '.*': choose off, 1/2, 1/4"):
        fit(prune=share)


def test_a_share_is_named_as_it_was_given() -> None:
    with pytest.raises(InputError, match=r"^prune '0\.3': choose off"):
        fit(prune=0.3)


def test_an_engine_has_no_policies() -> None:
    with pytest.raises(InputError, match=r"^an engine cannot prune by LargestPerNumber\(count=4"):
        fit(prune=LargestPerNumber(4))


def test_what_the_user_gave_is_what_is_named() -> None:
    with pytest.raises(InputError, match=r"^class weight 1e-09 is too small"):
        fit(class_weight={0: 1e-9, 1: 1e9, 2: 1})
    with pytest.raises(InputError, match=r"^weights: give an array"):
        fit(weights=[[[1, 2], [3]]])
    with pytest.raises(InputError, match=r"^weights of layer 0 are not integers"):
        fit(hidden=(), weights=[np.zeros((7, 3))])


def test_a_refused_setting_leaves_a_fitted_model_as_it_was() -> None:
    model = Regressor((4,), epochs=1).fit(DATA.x, DATA.x[:, 0])
    before = model.predict(DATA.x)
    with pytest.raises(InputError):
        model.set_params(prune="1/3").fit(3 * DATA.x, DATA.x[:, 0])
    np.testing.assert_array_equal(model.set_params(prune="off").predict(DATA.x), before)


def test_verbose_prints_a_row_for_each_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    fit(epochs=3)
    assert capsys.readouterr().out == ""
    for device in ("golden", "float"):
        fit(epochs=3, verbose=True, device=device)
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].split()[:2] == ["epoch", "loss"]
        assert [line.split()[0] for line in lines[1:]] == ["1/3", "2/3", "3/3"]

# SPDX-License-Identifier: BSD-2-Clause

"""Small data sets: XOR, and those that come with scikit-learn, such as the digits.

Features are scaled into the network's input range, +-8, by constants or by the training samples
alone. The choice of held-out samples never changes, so that figures of different runs compare.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import MissingToolError
from .answers import Answers
from .dataset import Dataset
from .preparation import Number, Preparation
from .samples import Samples

Floats = NDArray[np.float64]

DIGITS_HELD_OUT = 360
DIGITS_WHITE = 16.0
"""Largest value of a pixel of the digits."""

SPLIT_SEED = 0
"""Seed of every split into training and held-out samples."""

FRIEDMAN_SAMPLES = 1000
FRIEDMAN_LOW = np.array([0.0, 40.0 * np.pi, 0.0, 1.0])
FRIEDMAN_HIGH = np.array([100.0, 560.0 * np.pi, 1.0, 11.0])
"""Ranges of the four inputs, by the definition of the problem."""


def load_xor() -> Dataset:
    """Make the truth table of XOR with a constant third input, for training and for measuring."""
    x = np.array([[a, b, 1.0] for a in (0.0, 1.0) for b in (0.0, 1.0)])
    samples = Samples.of_yes_or_no(x, (x[:, 0] != x[:, 1]).astype(np.int64))
    return Dataset(samples, samples)


def load_digits() -> Dataset:
    """Load scikit-learn's 8x8 digits: 1,437 to train on and 360 held out, stratified by class.

    Raises
    ------
    MissingToolError
        If scikit-learn is not installed.
    """
    datasets, split = _sklearn()
    x, labels = datasets.load_digits(return_X_y=True)
    x, x_out, labels, labels_out = split(
        x / DIGITS_WHITE,
        labels,
        test_size=DIGITS_HELD_OUT,
        stratify=labels,
        random_state=SPLIT_SEED,
    )
    return Dataset(
        Samples.of_classes(x, labels, 10),
        Samples.of_classes(x_out, labels_out, 10),
        Preparation.of_array(x.shape[1], DIGITS_WHITE),
        Answers(("digit",), tuple(map(str, range(10)))),
    )


def load_friedman(standard: bool = True) -> Dataset:
    """Make Friedman's second regression problem, without noise.

    The target is ``sqrt(a^2 + (b c - 1 / (b d))^2)``. There are 800 samples to train on and 200
    held out. Inputs are mapped to +-1.

    Parameters
    ----------
    standard : bool
        Whether targets are scaled to mean 0 and standard deviation 1; otherwise they range from
        about 0 to 1,800.
    """
    datasets, split = _sklearn()
    x, y = datasets.make_friedman2(FRIEDMAN_SAMPLES, noise=0.0, random_state=SPLIT_SEED)
    x = 2.0 * (x - FRIEDMAN_LOW) / (FRIEDMAN_HIGH - FRIEDMAN_LOW) - 1.0
    return _regression(split, x, y, standard)


def load_tracking(seed: int = SPLIT_SEED) -> Dataset:
    """Make a stream of 1,500 samples of a function of one number, which changes after each third.

    The number is uniform in -2 to 2. The functions are those of arXiv 2602.02056: ``sin x + 0.3
    x^2``, ``1 - cos 2x + 0.1 x^3`` and ``exp(-(x - 1)^2 / 2) + 0.05 x^3``. The 300 samples held out
    are of the last function.

    Parameters
    ----------
    seed : int
        Seed of the numbers.
    """
    x = np.random.default_rng(seed).uniform(-2.0, 2.0, (1800, 1))
    functions: tuple[Callable[[Floats], Floats], ...] = (
        lambda x: np.sin(x) + 0.3 * x**2,
        lambda x: 1.0 - np.cos(2.0 * x) + 0.1 * x**3,
        lambda x: np.exp(-0.5 * (x - 1.0) ** 2) + 0.05 * x**3,
    )
    parts = np.split(x[:1500], 3)
    y = np.concatenate([f(part) for f, part in zip(functions, parts, strict=True)])
    stream = Samples(x[:1500], y, parts=tuple(len(part) for part in parts))
    return Dataset(stream, Samples(x[1500:], functions[-1](x[1500:])))


def load_diabetes() -> Dataset:
    """Load the progress of diabetes by ten measures: 353 patients to train on and 89 held out.

    Inputs and targets have mean 0 and standard deviation 1.
    """
    datasets, split = _sklearn()
    x, y = datasets.load_diabetes(return_X_y=True)
    return _regression(split, x * np.sqrt(len(x)), y, True)


def load_cancer() -> Dataset:
    """Load breast tumours, malignant (0) or benign (1), by thirty measures.

    There are 455 to train on and 114 held out.
    """
    datasets, split = _sklearn()
    return _classes(split, datasets.load_breast_cancer(), "tumour", single=True)


def load_setosa() -> Dataset:
    """Load irises, setosa (1) or not (0), by four lengths: 120 to train on and 30 held out."""
    datasets, split = _sklearn()
    flowers = datasets.load_iris()
    flowers.target = (flowers.target == 0).astype(np.int64)
    flowers.target_names = ["other", "setosa"]
    return _classes(split, flowers, "species", single=True)


def load_iris() -> Dataset:
    """Load irises of three species by four lengths: 120 to train on and 30 held out."""
    datasets, split = _sklearn()
    return _classes(split, datasets.load_iris(), "species")


def to_itself(data: Dataset) -> Dataset:
    """Replace the targets of a data set by its inputs, for an autoencoder."""
    train, held_out = (Samples(part.x, part.x) for part in (data.train, data.held_out))
    return Dataset(train, held_out, data.preparation)


def _sklearn() -> tuple[Any, Any]:
    """Import scikit-learn's module of data sets and its function that splits a data set.

    Raises
    ------
    MissingToolError
        If scikit-learn is not installed.
    """
    try:
        from sklearn import datasets
        from sklearn.model_selection import train_test_split
    except ImportError:
        raise MissingToolError(
            "this data set comes with scikit-learn, which is missing; pip install dualgate[data]"
        ) from None
    return datasets, train_test_split


def _regression(split: Any, x: Floats, y: Floats, standard: bool) -> Dataset:
    x, x_out, y, y_out = split(x, y, test_size=0.2, random_state=SPLIT_SEED)
    mean, deviation = (y.mean(), y.std()) if standard else (0.0, 1.0)
    train, held_out = (
        Samples(a, (b[:, None] - mean) / deviation) for a, b in ((x, y), (x_out, y_out))
    )
    return Dataset(train, held_out)


def _classes(split: Any, data: Any, what: str, single: bool = False) -> Dataset:
    """Split a set of scikit-learn; the training samples' range of each column becomes +-1."""
    x, x_out, labels, labels_out = split(
        data.data, data.target, test_size=0.2, stratify=data.target, random_state=SPLIT_SEED
    )
    low, high = x.min(axis=0), x.max(axis=0)
    columns = zip(map(str, data.feature_names), (low + high) / 2, (high - low) / 2, strict=True)
    numbers = tuple(Number(name, float(o), float(o), float(s)) for name, o, s in columns)
    preparation = Preparation(numbers, limit=2.0)
    names = tuple(map(str, data.target_names))
    answers = Answers((what,), names, single=single)
    train, held_out = (
        answers.of_labels(preparation.apply(a)[0], b) for a, b in ((x, labels), (x_out, labels_out))
    )
    return Dataset(train, held_out, preparation, answers)

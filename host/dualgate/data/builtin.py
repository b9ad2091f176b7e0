# SPDX-License-Identifier: BSD-2-Clause

"""Small sets of samples: XOR, and what comes with scikit-learn.

Features are brought into the network's input range, +-8, by constants or by the training samples
alone; held-out samples are chosen once for all, so that figures of different runs compare.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .samples import SPLIT_SEED, Dataset, Samples, sklearn_data

Floats = NDArray[np.float64]

FRIEDMAN_SAMPLES = 1000
FRIEDMAN_LOW = np.array([0.0, 40.0 * np.pi, 0.0, 1.0])
FRIEDMAN_HIGH = np.array([100.0, 560.0 * np.pi, 1.0, 11.0])
"""Ranges of its four inputs, by definition."""


def load_xor() -> Dataset:
    """The truth table of XOR with a constant third input; trained on and measured by."""
    x = np.array([[a, b, 1.0] for a in (0.0, 1.0) for b in (0.0, 1.0)])
    samples = Samples.of_yes_or_no(x, (x[:, 0] != x[:, 1]).astype(np.int64))
    return Dataset(samples, samples)


def load_friedman(standard: bool = True) -> Dataset:
    """Friedman's second regression problem, ``sqrt(a^2 + (b c - 1 / (b d))^2)``, without noise.

    800 samples to train on and 200 held out. Inputs are mapped to +-1.

    Parameters
    ----------
    standard : bool
        Whether targets are brought to mean 0 and deviation 1; otherwise they are about 0 to 1,800.
    """
    datasets, split = sklearn_data()
    x, y = datasets.make_friedman2(FRIEDMAN_SAMPLES, noise=0.0, random_state=SPLIT_SEED)
    x = 2.0 * (x - FRIEDMAN_LOW) / (FRIEDMAN_HIGH - FRIEDMAN_LOW) - 1.0
    return _regression(split, x, y, standard)


def load_diabetes() -> Dataset:
    """Progress of diabetes from ten measures: 353 patients to train on and 89 held out.

    Inputs and targets have mean 0 and deviation 1.
    """
    datasets, split = sklearn_data()
    x, y = datasets.load_diabetes(return_X_y=True)
    return _regression(split, x * np.sqrt(len(x)), y, True)


def load_cancer() -> Dataset:
    """Breast tumours, malignant (0) or benign (1), by thirty measures: 455 and 114 held out."""
    datasets, split = sklearn_data()
    x, labels = datasets.load_breast_cancer(return_X_y=True)
    return _classes(split, x, labels, Samples.of_yes_or_no)


def load_setosa() -> Dataset:
    """Irises, setosa (1) or not (0), by four lengths: 120 and 30 held out."""
    datasets, split = sklearn_data()
    x, labels = datasets.load_iris(return_X_y=True)
    return _classes(split, x, (labels == 0).astype(np.int64), Samples.of_yes_or_no)


def load_iris() -> Dataset:
    """Irises of three species by four lengths: 120 and 30 held out."""
    datasets, split = sklearn_data()
    x, labels = datasets.load_iris(return_X_y=True)
    return _classes(split, x, labels, lambda a, b: Samples.of_classes(a, b, 3))


def to_itself(data: Dataset) -> Dataset:
    """Samples whose targets are their own inputs, for an autoencoder."""
    return Dataset(*(Samples(part.x, part.x) for part in (data.train, data.held_out)))


def _regression(split: Any, x: Floats, y: Floats, standard: bool) -> Dataset:
    x, x_out, y, y_out = split(x, y, test_size=0.2, random_state=SPLIT_SEED)
    mean, deviation = (y.mean(), y.std()) if standard else (0.0, 1.0)
    return Dataset(
        *(Samples(a, (b[:, None] - mean) / deviation) for a, b in ((x, y), (x_out, y_out)))
    )


def _classes(split: Any, x: Floats, labels: NDArray[np.int64], samples: Any) -> Dataset:
    x, x_out, labels, labels_out = split(
        x, labels, test_size=0.2, stratify=labels, random_state=SPLIT_SEED
    )
    low, high = x.min(axis=0), x.max(axis=0)
    return Dataset(
        *(
            samples(np.clip(2.0 * (a - low) / (high - low) - 1.0, -2.0, 2.0), b)
            for a, b in ((x, labels), (x_out, labels_out))
        )
    )

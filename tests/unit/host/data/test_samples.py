# SPDX-License-Identifier: BSD-2-Clause

"""Samples: labels."""

import numpy as np
import pytest

from dualgate.contract.errors import InputError
from dualgate.data.samples import Samples


def test_labels_that_do_not_fit_are_refused() -> None:
    x = np.zeros((3, 2))
    with pytest.raises(InputError, match=r"^label -1 of sample 1 is out of range 0 to 1$"):
        Samples.of_classes(x, [0, -1, 5], 2)
    with pytest.raises(InputError, match=r"^labels have shape \(2,\); give .* of 3 inputs$"):
        Samples.of_classes(x, [0, 1], 2)
    with pytest.raises(InputError, match=r"^labels are float64"):
        Samples.of_classes(x, [0.0, 1.0, 0.5], 2)

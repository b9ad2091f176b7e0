# SPDX-License-Identifier: BSD-2-Clause

"""scikit-learn estimators, trained on any device.

::

    from dualgate.estimator import Classifier

    model = Classifier(hidden=(32, 16), prune="1/4", device="sim")
    model.fit(x_train, labels)
    print(model.score(x_test, test_labels))

They work like estimators of scikit-learn in a `Pipeline`, in `GridSearchCV` and with `clone`.
Unusable data raise ValueError, as in scikit-learn; unusable settings raise `InputError`.
"""

from ..contract.errors import MissingToolError

try:
    import sklearn  # noqa: F401
except ImportError:
    raise MissingToolError(
        "the estimators need scikit-learn, which is missing; pip install dualgate[data]"
    ) from None

from .classifier import Classifier
from .regressor import Regressor

__all__ = ["Classifier", "Regressor"]

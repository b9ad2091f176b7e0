# SPDX-License-Identifier: BSD-2-Clause

"""scikit-learn estimators, whatever device trains them.

::

    from dualgate.estimator import Classifier

    model = Classifier(hidden=(32, 16), prune="1/4", device="sim")
    model.fit(x_train, labels)
    print(model.score(x_test, test_labels))

They work wherever scikit-learn's own do: in a `Pipeline`, in `GridSearchCV`, with `clone`. Data
that cannot be used raises ValueError, as there; settings that cannot be used raise `InputError`.
"""

from ..contract.errors import MissingToolError

try:
    import sklearn  # noqa: F401
except ImportError:
    raise MissingToolError(
        "the estimators are scikit-learn's, which is missing; pip install dualgate[data]"
    ) from None

from .classifier import Classifier
from .regressor import Regressor

__all__ = ["Classifier", "Regressor"]

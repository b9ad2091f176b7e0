# SPDX-License-Identifier: BSD-2-Clause

"""The optional packages that data sets of one's own need."""

from typing import Any

from ..contract.errors import MissingToolError


def pandas_package() -> Any:
    """Import pandas; raises `MissingToolError` if it is not installed."""
    try:
        import pandas
    except ImportError:
        raise MissingToolError("pandas is not installed; pip install dualgate[data]") from None
    return pandas


def sklearn_package() -> Any:
    """Import scikit-learn and its transformers; raises `MissingToolError` without them."""
    try:
        import sklearn.compose
    except ImportError:
        raise MissingToolError(
            "scikit-learn is not installed; pip install dualgate[data]"
        ) from None
    return sklearn

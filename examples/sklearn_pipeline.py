# SPDX-License-Identifier: BSD-2-Clause

"""Use the estimator in a scikit-learn pipeline, and search over how much it prunes.

Run: ``python examples/sklearn_pipeline.py``.
"""

from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dualgate import Classifier


def main() -> None:
    """Choose the pruning by cross-validation and print the accuracy on held-out wines."""
    x, y = load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, stratify=y, random_state=0)
    model = Classifier(hidden=(16, 8), epochs=20, batch=16, lr=0.05, device="golden", scale="off")
    pipeline = make_pipeline(StandardScaler(), model)
    search = GridSearchCV(pipeline, {"classifier__prune": ["off", 0.25, 0.5]}, cv=3)
    search.fit(x_train, y_train)
    print(f"pruning chosen: {search.best_params_['classifier__prune']}")
    print(f"held-out accuracy: {search.score(x_test, y_test):.1%}")


if __name__ == "__main__":
    main()

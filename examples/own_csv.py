# SPDX-License-Identifier: BSD-2-Clause

"""Train on a CSV file of one's own: numbers in columns, the class in the last one.

Run: ``python examples/own_csv.py [FILE]``. Without a file, one is written to a temporary folder
first, so that the example runs anywhere.
"""

import csv
import sys
import tempfile
from pathlib import Path

import numpy as np

from dualgate import Network, Recipe, Samples, Trainer, open_device


def write_example(path: Path) -> None:
    """Write 300 points of three overlapping clouds."""
    random = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["width", "height", "kind"])
        for index in range(300):
            kind = index % 3
            x, y = random.normal([(0, 3), (3, 0), (-3, -2)][kind], 1.0)
            writer.writerow([f"{x:.3f}", f"{y:.3f}", "abc"[kind]])


def read_samples(path: Path) -> tuple[Samples, list[str]]:
    """Read the file; inputs are scaled to mean 0 and standard deviation 1."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    x = np.array([[float(number) for number in row[:-1]] for row in rows])
    classes, labels = np.unique([row[-1] for row in rows], return_inverse=True)
    scaled = np.clip((x - x.mean(axis=0)) / x.std(axis=0), -7.9, 7.9)
    return Samples.of_classes(scaled, labels, len(classes)), classes.tolist()


def main(file: str | None = None) -> None:
    """Train a small network on the file and print its accuracy."""
    if file is None:
        path = Path(tempfile.mkdtemp()) / "clouds.csv"
        write_example(path)
    else:
        path = Path(file)
    samples, classes = read_samples(path)
    network = Network((samples.x.shape[1], 8, len(classes)), "tanh")
    trainer = Trainer(network, Recipe(epochs=10, batch=10, lr=0.1, momentum=0.9), samples)
    with open_device("golden") as device:
        *_, last = trainer.run(device)
    print(f"classes {', '.join(classes)}: accuracy {last.accuracy:.1%}")


if __name__ == "__main__":
    main(*sys.argv[1:])

# SPDX-License-Identifier: BSD-2-Clause

"""Train on a table of one's own: semicolons, missing values, and the class in words.

Run: ``python examples/own_csv.py [FILE TARGET]``. Without a file, one is written to a temporary
folder first, so that the example runs anywhere. ``dualgate train FILE --target TARGET`` does the
same, and keeps the run.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from dualgate import OwnData, Trainer, open_device, own_task


def write_example(path: Path) -> None:
    """Write 300 points of three overlapping clouds; every tenth width is missing."""
    random = np.random.default_rng(0)
    lines = ["width;height;colour;kind"]
    for index in range(300):
        kind = index % 3
        x, y = random.normal([(0, 3), (3, 0), (-3, -2)][kind], 1.0)
        width = "" if index % 10 == 0 else f"{x:.3f}"
        lines.append(f"{width};{y:.3f};{random.choice(['red', 'green'])};{'abc'[kind]}")
    path.write_text("\n".join(lines) + "\n")


def main(file: str | None = None, target: str = "kind") -> None:
    """Train a network that suits the table and print its held-out accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(file or Path(folder) / "clouds.csv")
        if file is None:
            write_example(path)
        task, data = own_task(OwnData(path, target))
    for note in data.notes:
        print(note)
    print("inputs:", ", ".join(data.preparation.inputs))
    trainer = Trainer(task.network(path.stem), task.recipe, data.train, data.held_out)
    with open_device("golden") as device:
        *_, last = trainer.run(device)
    print(
        f"classes {', '.join(data.answers.classes)}: held-out accuracy {last.held_out_accuracy:.1%}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

# SPDX-License-Identifier: BSD-2-Clause

"""Write a network as ONNX, read it back and train it on; any ONNX network of dense layers will do.

Run: ``python examples/onnx_fine_tuning.py``.
"""

import tempfile
from pathlib import Path

from dualgate import (
    Model,
    Network,
    Recipe,
    Trainer,
    load_digits,
    open_device,
    read_model,
    write_model,
)


def main() -> None:
    """Train briefly, write the file, and train on from the file."""
    digits = load_digits()
    recipe = Recipe(epochs=1, batch=32, lr=0.07, momentum=0.9)
    network = Network((64, 16, 10), "tanh")
    path = Path(tempfile.mkdtemp()) / "digits.onnx"
    with open_device("golden") as device:
        first = list(Trainer(network, recipe, digits.train, digits.held_out).run(device))[-1]
        write_model(path, Model.of_device(network, device.read_weights()))
    print(f"first epoch: held-out accuracy {first.held_out_accuracy:.1%}; written to {path.name}")

    model = read_model(path, "cce", ["tanh"])
    tuned = Trainer(
        model.network, recipe, digits.train, digits.held_out, weights=model.master_weights()
    )
    with open_device("golden") as device:
        last = list(tuned.run(device))[-1]
    print(f"second epoch, from the file: held-out accuracy {last.held_out_accuracy:.1%}")


if __name__ == "__main__":
    main()

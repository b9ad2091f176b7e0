# SPDX-License-Identifier: BSD-2-Clause

"""Train a network on 8x8 digits, on any device.

Run: ``python examples/train.py [DEVICE]``, where DEVICE is ``golden`` (default), ``sim``,
``serial:PORT`` or ``pcie:ADDRESS``. The weights are the same on each, to the bit.
"""

import sys

from dualgate import Network, Recipe, Trainer, load_digits, open_device, parse_prune


def main(spec: str = "golden") -> None:
    """Train for five epochs and print a line for each."""
    digits = load_digits()
    recipe = Recipe(epochs=5, batch=32, lr=0.07, momentum=0.9, prune=parse_prune("1/4"))
    trainer = Trainer(Network((64, 32, 16, 10), "tanh"), recipe, digits.train, digits.held_out)
    with open_device(spec) as device:
        for record in trainer.run(device):
            print(
                f"epoch {record.epoch}: held-out accuracy {record.held_out_accuracy:.1%}, "
                f"kept tangents {record.kept_fraction:.0%}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])

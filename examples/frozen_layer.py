# SPDX-License-Identifier: BSD-2-Clause

"""Freeze the first layer: its weights stay, and its derivatives cost nothing.

Run: ``python examples/frozen_layer.py``.
"""

from dataclasses import replace

from dualgate import Network, Recipe, Trainer, load_digits, open_device


def main() -> None:
    """Train both ways and print accuracy and rows of the tangent lane."""
    digits = load_digits()
    recipe = Recipe(epochs=3, batch=32, lr=0.07, momentum=0.9)
    whole = Network((64, 32, 16, 10), "tanh")
    for name, network in (("all layers", whole), ("first frozen", replace(whole, frozen=(0,)))):
        with open_device("golden") as device:
            last = list(Trainer(network, recipe, digits.train, digits.held_out).run(device))[-1]
            rows = device.counters().tangent_rows / (recipe.epochs * len(digits.train.x))
        print(f"{name}: held-out accuracy {last.held_out_accuracy:.1%}, {rows:.0f} tangent rows")


if __name__ == "__main__":
    main()

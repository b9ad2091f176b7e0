# SPDX-License-Identifier: BSD-2-Clause

"""Train over a serial line: a simulated board behind a pseudo-terminal, a host at the other end.

Run: ``python examples/serve_and_train.py``. The first run compiles the board, which takes a minute.
"""

import subprocess
import sys

from dualgate import Network, Recipe, Trainer, load_digits, open_device


def main() -> None:
    """Serve a small board, train a small network through it and compare with the golden model."""
    digits, weights = load_digits(), []
    network, recipe = Network((64, 4, 10), "tanh"), Recipe(epochs=1, batch=100, lr=0.05)
    program = "from dualgate.cli import main; main()"
    command = [sys.executable, "-c", program, "serve", "--neurons", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as board:
        assert board.stdout is not None
        port = board.stdout.readline().strip()
        try:
            for spec in (f"serial:{port}", "golden"):
                with open_device(spec) as device:
                    last = list(Trainer(network, recipe, digits.train).run(device))[-1]
                    weights.append([w.tolist() for w in device.read_weights()])
                print(f"{spec.partition(':')[0]}: loss {last.loss:.4f}")
        finally:
            board.terminate()
    print("the weights are the same bits" if weights[0] == weights[1] else "the weights differ")


if __name__ == "__main__":
    main()

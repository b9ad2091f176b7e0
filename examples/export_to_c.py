# SPDX-License-Identifier: BSD-2-Clause

"""Train digits, export the network to C, compile it, and compare its answers with the device's.

Run: ``python examples/export_to_c.py``. It needs a C compiler: cc, gcc or clang.
"""

import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from dualgate import Model, Network, Recipe, Trainer, load_digits, open_device, write_model

PROGRAM = """
#include <stdio.h>
#include "digits.h"

int main(void)
{
    int16_t x[DIGITS_INPUTS], y[DIGITS_OUTPUTS];
    while (fread(x, sizeof x, 1, stdin) == 1) {
        digits_infer(x, y);
        fwrite(y, sizeof y, 1, stdout);
        fprintf(stderr, "%s\\n", digits_classes[digits_class(y)]);
    }
    return 0;
}
"""


def compiled(folder: Path) -> Path:
    """Compile the program in `folder` with the first C compiler there is."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        raise SystemExit("there is no C compiler; install gcc or clang")
    (folder / "main.c").write_text(PROGRAM)
    command = [compiler, "-std=c99", "-O2", "-I", folder, folder / "main.c", "-o", folder / "main"]
    subprocess.run(command, check=True)
    return folder / "main"


def main() -> None:
    """Train, export, compile, and compare every held-out answer."""
    digits = load_digits()
    network = Network((64, 32, 10), "tanh")
    recipe = Recipe(epochs=3, batch=32, lr=0.07, momentum=0.9)
    folder = Path(tempfile.mkdtemp())
    x = network.quantize_inputs(digits.held_out.x)
    with open_device("golden") as device:
        last = list(Trainer(network, recipe, digits.train, digits.held_out).run(device))[-1]
        model = Model.of_device(network, device.read_weights())
        answers = device.infer(x)
    write_model(folder / "digits.h", replace(model, classes=[f"digit {n}" for n in range(10)]))
    print(f"held-out accuracy {last.held_out_accuracy:.1%}; written to digits.h")

    given = x.astype(np.int16).tobytes()
    done = subprocess.run([compiled(folder)], input=given, capture_output=True, check=True)
    found = np.frombuffer(done.stdout, np.int16).reshape(answers.shape)
    print(f"the first answer in C: {done.stderr.decode().splitlines()[0]}")
    assert (found == answers).all()
    print(f"all {len(x)} answers in C are those of the device, to the bit")


if __name__ == "__main__":
    main()

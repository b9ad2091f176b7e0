# SPDX-License-Identifier: BSD-2-Clause

"""C headers: compiled, and run with the answers of a device, to the bit."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.effort import examples
from support.exchange_models import small

from dualgate.contract.activations import HIDDEN_ACTIVATIONS
from dualgate.contract.errors import InputError
from dualgate.contract.losses import LOSSES
from dualgate.contract.network import Network
from dualgate.devices import open_device
from dualgate.exchange import Model, write_model
from dualgate.exchange.c_header import c_header
from dualgate.optim.initialisers import initial_weights

COMPILER = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
compiled = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1")

MAIN = """
#include <stdio.h>
#include "{name}.h"
int main(void)
{{
    int16_t x[{NAME}_INPUTS], y[{NAME}_OUTPUTS];
    while (fread(x, sizeof x, 1, stdin) == 1) {{
        {name}_infer(x, y);
        fwrite(y, sizeof y, 1, stdout);
    }}
    return 0;
}}
"""


def build(folder: Path, name: str, source: str) -> Path:
    (folder / "main.c").write_text(source)
    command = [str(COMPILER), *STRICT, "-I", str(folder), str(folder / "main.c"), "-o", "main"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return folder / "main"


def in_c(folder: Path, model: Model, x: NDArray[np.int64]) -> NDArray[np.int64]:
    (folder / "net.h").write_text(c_header(model, "net"))
    program = build(folder, "net", MAIN.format(name="net", NAME="NET"))
    given = x.astype(np.int16).tobytes()
    done = subprocess.run([program], input=given, capture_output=True, check=True, timeout=600)
    return np.frombuffer(done.stdout, np.int16).reshape(len(x), -1).astype(np.int64)


def on_golden(model: Model, x: NDArray[np.int64]) -> NDArray[np.int64]:
    with open_device("golden") as device:
        device.configure(model.network, 12)
        device.write_weights(model.master_weights())
        return device.infer(x)


@st.composite
def networks(draw: st.DrawFn) -> tuple[Model, NDArray[np.int64]]:
    """Every activation and loss, weights and inputs up to the ends of their ranges."""
    sizes = draw(st.lists(st.integers(1, 9), min_size=2, max_size=5))
    hidden = tuple(draw(st.sampled_from(HIDDEN_ACTIVATIONS)) for _ in sizes[2:])
    loss = draw(st.sampled_from(sorted(LOSSES)))
    fracs = draw(st.integers(2, 14)), draw(st.integers(2, 14))
    network = Network(tuple(sizes), hidden, loss, *fracs)
    random = np.random.default_rng(draw(st.integers(0, 999)))
    scale = draw(st.sampled_from([0.01, 1.0, 4.0, 100.0]))
    weights = [
        np.clip(random.normal(0, scale, (layer.rows, layer.outputs)), -8, 7.999)
        for layer in network.layers
    ]
    x = random.integers(-(1 << 15), 1 << 15, (40, sizes[0])) >> random.integers(0, 14, (40, 1))
    x[0], x[1], x[2] = 0, -(1 << 15), (1 << 15) - 1
    return Model(network, weights), x


@pytest.mark.slow
@compiled
@examples(60)
@given(case=networks())
def test_a_header_answers_as_a_device_does(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[Model, NDArray[np.int64]]
) -> None:
    model, x = case
    found = in_c(tmp_path_factory.mktemp("c"), model, x)
    np.testing.assert_array_equal(found, on_golden(model, x))


@compiled
@pytest.mark.parametrize("loss", LOSSES)
def test_every_activation_and_loss_is_written(tmp_path: Path, loss: str) -> None:
    network = Network((5, 6, 6, 6, 6, 6, 3), HIDDEN_ACTIVATIONS, loss)
    model = Model(network, [2 * w for w in initial_weights(network, seed=1)])
    x = np.random.default_rng(0).integers(-(1 << 15), 1 << 15, (300, 5))
    np.testing.assert_array_equal(in_c(tmp_path, model, x), on_golden(model, x))


@compiled
def test_a_wide_softmax_is_exact(tmp_path: Path) -> None:
    network = Network((3, 700), (), "cce")
    model = Model(network, [0.01 * w for w in initial_weights(network, seed=1)])
    x = np.random.default_rng(0).integers(-(1 << 15), 1 << 15, (20, 3))
    np.testing.assert_array_equal(in_c(tmp_path, model, x), on_golden(model, x))


NAMES = ('quote"s', "back\\slash", "trigraph??/", "año", "$name", "percent %d")


@compiled
def test_names_of_classes_and_the_class_of_an_answer_are_in_it(tmp_path: Path) -> None:
    network = Network((4, 6), (), "cce")
    model = replace(Model(network, initial_weights(network, seed=3)), classes=NAMES)
    write_model(tmp_path / "2 nets-ñ.h", model)
    x = network.quantize_inputs(np.random.default_rng(0).normal(0, 1, (50, 4)))
    source = """
#include <stdio.h>
#include "2 nets-ñ.h"
int main(void)
{
    int16_t x[NET2_NETS___INPUTS], y[NET2_NETS___OUTPUTS];
    while (fread(x, sizeof x, 1, stdin) == 1) {
        net2_nets___infer(x, y);
        puts(net2_nets___classes[net2_nets___class(y)]);
    }
    return 0;
}
"""
    program = build(tmp_path, "net", source)
    given = x.astype(np.int16).tobytes()
    done = subprocess.run([program], input=given, capture_output=True, check=True, timeout=600)
    chosen = on_golden(model, x).argmax(axis=1)
    assert done.stdout.decode().splitlines() == [NAMES[index] for index in chosen]
    assert len(set(chosen)) > 2


def test_a_header_holds_the_weights_as_they_are_multiplied() -> None:
    model = small()
    text = c_header(replace(model, dropout=(0.5,)), "net")
    first = (model.master_weights()[0] >> 16).reshape(-1).tolist()
    assert ", ".join(map(str, first[:12])) in text
    assert "float" not in text
    assert "double" not in text
    assert "is the real number." in text
    assert "is the logarithm of 1 + the prediction." in c_header(small("msle"), "net")


def test_what_no_header_can_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^3 names of classes for 2 outputs; give one for each$"):
        write_model(tmp_path / "x.h", replace(small(), classes=("a", "b", "c")))
    large = small(scale=1000.0)
    with pytest.raises(InputError, match="outside the number range"):
        write_model(tmp_path / "x.h", large)
    assert not list(tmp_path.iterdir())

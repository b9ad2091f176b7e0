# SPDX-License-Identifier: BSD-2-Clause

"""Networks as C headers: integer weights, and a function that answers as a device does."""

import re
from collections.abc import Iterable, Iterator
from string import Template

from ..contract.activations import EXP_TABLE, IDENTITY, SIGMOID, SIGMOID_TABLE, SOFTMAX, TANH
from ..contract.errors import InputError
from ..contract.formats import MASTER_WIDTH, VALUE_WIDTH
from ..contract.losses import LOSSES
from ..contract.network import Layer
from .c_code import ACTIVATIONS, CLASS, HEAD, INFER, LAYER
from .model import Model

PER_LINE = 12


def c_header(model: Model, name: str) -> str:
    """Write a network as a C99 header that needs nothing but ``stdint.h``.

    Parameters
    ----------
    model : Model
        Its weights are rounded as `Model.master_weights` rounds them.
    name : str
        What the names in the header begin with; letters that C does not know become ``_``.

    Returns
    -------
    str
        Sizes, fraction bits, weights as the multipliers read them, and ``NAME_infer``, whose
        outputs are those of `Device.infer` to the bit. A classifier also has ``NAME_class`` and,
        if `model` has names of classes, ``NAME_classes``.

    Raises
    ------
    InputError
        For weights out of range, or as many names of classes as there are no outputs.
    """
    network = model.network
    word = re.sub("[^A-Za-z0-9_]", "_", name)
    prefix = word if word[:1].isalpha() else f"net{word}"
    plain = network.objective.inverse is not LOSSES["msle"].inverse
    names = {
        "name": prefix,
        "NAME": prefix.upper(),
        "sizes": "-".join(map(str, network.sizes)),
        "inputs": network.sizes[0],
        "outputs": network.sizes[-1],
        "widest": max(network.sizes[1:]),
        "input_frac": network.input_frac,
        "output_frac": network.output_format.frac,
        "loss": network.loss,
        "meaning": "the real number" if plain else "the logarithm of 1 + the prediction",
    }
    used = list(dict.fromkeys(layer.activation for layer in network.layers))
    parts = [HEAD, *_tables(used), *_weights(model), LAYER]
    parts += [_function(kind.name) for kind in used if kind is not IDENTITY]
    parts += [_infer(network.layers)]
    if network.objective.classes and network.sizes[-1] > 1:
        parts.append(CLASS)
    parts += _classes(model)
    return Template("\n".join([*parts, "#endif\n"])).substitute(names)


def _function(activation: str) -> str:
    if activation not in ACTIVATIONS:
        raise InputError(f"the activation {activation} has no function in C; export to ONNX")
    return ACTIVATIONS[activation]


def _tables(used: Iterable[object]) -> Iterator[str]:
    kinds = set(used)
    if kinds & {SIGMOID, TANH}:
        yield "/* sigmoid(i / 256) - 1/2, with 16 fraction bits. */"
        yield _array("int16_t", "half_sigmoid", SIGMOID_TABLE)
    if SOFTMAX in kinds:
        yield "/* exp(-i / 256), with 16 fraction bits. */"
        yield _array("uint16_t", "exponential", EXP_TABLE)


def _weights(model: Model) -> Iterator[str]:
    for index, (layer, w) in enumerate(
        zip(model.network.layers, model.master_weights(), strict=True)
    ):
        upper = (w >> (MASTER_WIDTH - VALUE_WIDTH)).reshape(-1).tolist()
        yield (
            f"/* Layer {index}: a row of {layer.outputs} for each of {layer.inputs} inputs, then "
            "the biases. */"
        )
        yield _array("int16_t", f"weights{index}", upper)


def _array(kind: str, name: str, values: Iterable[int]) -> str:
    numbers = [str(value) for value in values]
    lines = [
        "    " + ", ".join(numbers[start : start + PER_LINE])
        for start in range(0, len(numbers), PER_LINE)
    ]
    rows = ",\n".join(lines)
    return f"static const {kind} ${{name}}_{name}[{len(numbers)}] = {{\n{rows}\n}};\n"


def _infer(layers: Iterable[Layer]) -> str:
    lines, source = list[str](), "x"
    for index, layer in enumerate(layers):
        target = ("first", "second")[index % 2]
        lines.append(
            f"${{name}}_layer({source}, {target}, {layer.inputs}, {layer.outputs}, "
            f"${{name}}_weights{index}, {layer.in_frac}, {layer.z_shift});"
        )
        if layer.activation is not IDENTITY:
            lines.append(f"${{name}}_{layer.activation.name}({target}, {layer.outputs});")
        source = target
    return INFER.replace("@LAYERS@", "\n    ".join(lines)).replace("@RESULT@", source)


def _classes(model: Model) -> Iterator[str]:
    if not model.classes:
        return
    outputs = model.network.sizes[-1]
    if len(model.classes) != max(outputs, 2):
        raise InputError(
            f"{len(model.classes)} names of classes for {outputs} outputs; give one for each"
        )
    strings = ",\n".join(f'    "{_escaped(str(name))}"' for name in model.classes)
    yield f"static const char *const ${{name}}_classes[{len(model.classes)}] = {{\n{strings}\n}};\n"


def _escaped(text: str) -> str:
    """Return UTF-8 as the content of a C string, without a dollar, which templates know."""
    plain = "".join(map(chr, range(32, 127))).translate(str.maketrans("", "", '"\\?$'))
    return "".join(
        chr(byte) if chr(byte) in plain else f"\\{byte:03o}"
        for byte in text.encode("utf-8", "replace")
    )

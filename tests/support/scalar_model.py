# SPDX-License-Identifier: BSD-2-Clause

"""A second golden model, slow and plain, written from docs/reference/numerics.md alone.

Python integers, one sample, one unit and one tag at a time; no numpy and nothing of the project, so
that a mistake shared with `dualgate_sim.golden.model` would have to be made twice.
"""

import math

H = [math.floor((1 / (1 + math.exp(-i / 256)) - 0.5) * 65536 + 0.5) for i in range(2048)]
E = [min(65535, math.floor(math.exp(-i / 256) * 65536 + 0.5)) for i in range(2048)]

Z_FRAC = {"sigmoid": 12, "tanh": 12, "softmax": 10}
OUT_FRAC = {"sigmoid": 14, "tanh": 14, "softmax": 14, "step": 14}
SLOPE_FRAC = {"sigmoid": 16}  # 14 for all others
OUTPUT_OF = {
    "mse": "identity",
    "msle": "identity",
    "sigmoid-mse": "sigmoid",
    "bce": "sigmoid",
    "cce": "softmax",
    "perceptron": "step",
}
SLOPED = ("mse", "msle", "sigmoid-mse")

COUNTED = (
    "value_rows",
    "tangent_rows",
    "scale_rows",
    "update_rows",
    "kept",
    "dropped",
    "saturated_values",
    "saturated_updates",
    "saturated_weights",
)


def rshift(x: int, s: int) -> int:
    """Shift right, halves upwards; a negative shift goes left."""
    if s <= 0:
        return x << -s
    return (x + (1 << (s - 1))) >> s


def activate(kind: str, z: int) -> tuple[int, int]:
    """Value and slope of one pre-activation."""
    if kind == "relu":
        return (z, 16384) if z > 0 else (0, 0)
    if kind == "leaky_relu":
        return (z, 16384) if z > 0 else (rshift(z, 7), 128)
    if kind == "sigmoid":
        h = H[min(rshift(abs(z), 4), 2047)]
        return rshift(32768 - h if z < 0 else 32768 + h, 2), 16384 - rshift(h * h, 16)
    if kind == "tanh":
        h = H[min(rshift(abs(z), 3), 2047)]
        value = rshift(h, 1)
        return -value if z < 0 else value, 16384 - rshift(h * h, 16)
    if kind == "step":
        return (16384 if z > 0 else 0), 16384
    return z, 16384


def softmax(zs: list[int]) -> list[int]:
    """Probabilities of a whole layer."""
    top = max(zs)
    powers = []
    for z in zs:
        index = rshift(top - z, 2)
        powers.append(E[index] if index < 2048 else 0)
    total = sum(powers)
    bits = total.bit_length()
    inverse = (1 << (bits + 15)) // total
    return [rshift(power * inverse, bits + 1) for power in powers]


class Layer:
    """One layer: sizes, binary points, weights and velocity as lists of rows, the bias last."""

    def __init__(self, inputs: int, outputs: int, kind: str, in_frac: int, linear_frac: int):
        self.inputs, self.outputs, self.kind, self.in_frac = inputs, outputs, kind, in_frac
        self.z_frac = Z_FRAC.get(kind, linear_frac)
        self.out_frac = OUT_FRAC.get(kind, self.z_frac)
        self.slope_frac = SLOPE_FRAC.get(kind, 14)
        self.master = [[0] * outputs for _ in range(inputs + 1)]
        self.velocity = [[0] * outputs for _ in range(inputs + 1)]

    def weight(self, row: int, unit: int) -> int:
        return self.master[row][unit] >> 16


class ScalarModel:
    """The engine, one integer at a time.

    Parameters
    ----------
    sizes : tuple of int
    hidden : tuple of str
        Activation of each hidden layer.
    loss : str
    input_frac, linear_frac, update_frac : int
    neurons : int
        N; only counts of rows depend on it.
    frozen : tuple of int
        Layers whose weights stay.
    """

    def __init__(
        self,
        sizes: tuple[int, ...],
        hidden: tuple[str, ...],
        loss: str,
        input_frac: int,
        linear_frac: int,
        update_frac: int,
        neurons: int,
        frozen: tuple[int, ...] = (),
    ):
        self.frozen = frozen
        self.loss, self.update_frac, self.neurons = loss, update_frac, neurons
        self.layers: list[Layer] = []
        frac = input_frac
        kinds = (*hidden, OUTPUT_OF[loss])
        for inputs, outputs, kind in zip(sizes, sizes[1:], kinds, strict=False):
            self.layers.append(Layer(inputs, outputs, kind, frac, linear_frac))
            frac = self.layers[-1].out_frac
        self.counts = dict.fromkeys(COUNTED, 0)

    def groups(self, units: int) -> int:
        return (units + self.neurons - 1) // self.neurons

    def clip(self, x: int, bits: int, counter: str) -> int:
        limit = 1 << (bits - 1)
        clipped = max(-limit, min(limit - 1, x))
        if clipped != x:
            self.counts[counter] += 1
        return clipped

    def forward(
        self, x: list[int], masks: list[list[bool]] | None = None
    ) -> tuple[list[list[int]], list[list[int]]]:
        """Values (the inputs first) and slopes of every layer for one sample."""
        values, slopes = [x], []
        for index, layer in enumerate(self.layers):
            zs = []
            for unit in range(layer.outputs):
                total = (1 << layer.in_frac) * layer.weight(layer.inputs, unit)
                for row in range(layer.inputs):
                    total += values[-1][row] * layer.weight(row, unit)
                z = rshift(total, layer.in_frac + 12 - layer.z_frac)
                zs.append(self.clip(z, 16, "saturated_values"))
            fed = sum(1 for a in values[-1] if a != 0) + 1
            self.counts["value_rows"] += fed * self.groups(layer.outputs)
            if layer.kind == "softmax":
                values.append(softmax(zs))
                slopes.append([16384] * layer.outputs)
            else:
                values.append([activate(layer.kind, z)[0] for z in zs])
                slopes.append([activate(layer.kind, z)[1] for z in zs])
            if masks is not None and index < len(masks):
                for unit, takes_part in enumerate(masks[index]):
                    if not takes_part:
                        values[-1][unit] = slopes[-1][unit] = 0
        return values, slopes

    def infer(self, x: list[int]) -> list[int]:
        return self.forward(x)[0][-1]

    def train(
        self,
        x: list[int],
        target: list[int],
        mantissa: int,
        shift: int,
        prune: int,
        masks: list[list[bool]] | None = None,
    ) -> list[int]:
        """One sample: its outputs; the velocity gains its gradient."""
        values, slopes = self.forward(x, masks)
        scalars: list[list[int]] = []
        for index in range(len(self.layers) - 1):
            scalars.append([0] * self.layers[index].outputs)
        output: list[int] = []
        for y, t, slope in zip(values[-1], target, slopes[-1], strict=True):
            error = self.clip(y - t, 16, "saturated_updates")
            if self.loss in SLOPED:
                error = rshift(error * slope, 14)
            output.append(self.clip(rshift(error * mantissa, shift), 16, "saturated_updates"))
        scalars.append(output)
        for index, layer in enumerate(self.layers):
            if index in self.frozen:
                continue
            if index < len(self.layers) - 1:
                for tag in range(layer.outputs):
                    scalars[index][tag] = self.carry(index, tag, slopes, output, prune)
            self.accumulate(layer, values[index], scalars[index])
        return values[-1]

    def carry(
        self, seeded: int, tag: int, slopes: list[list[int]], output: list[int], prune: int
    ) -> int:
        """Update scalar of one tag: from its seed to the outputs."""
        tangent = [0] * self.layers[seeded].outputs
        tangent[tag] = slopes[seeded][tag]
        frac = self.layers[seeded].slope_frac
        for index in range(seeded + 1, len(self.layers)):
            layer = self.layers[index]
            alive = sum(1 for m in tangent if m != 0)
            self.counts["tangent_rows"] += alive * self.groups(layer.outputs)
            sums = [
                sum(tangent[row] * layer.weight(row, unit) for row in range(layer.inputs))
                for unit in range(layer.outputs)
            ]
            if any(sums):
                self.counts["scale_rows"] += self.groups(layer.outputs)
            down = 0
            while any(not -32768 <= s >> down <= 32767 for s in sums):
                down += 1
            mantissas = [s >> down for s in sums]
            frac += 12 - down
            if index == len(self.layers) - 1:
                total = sum(m * u for m, u in zip(mantissas, output, strict=True))
                total = rshift(total, max(-16, min(47, frac)))
                return self.clip(total, 16, "saturated_updates")
            tangent = self.pruned(
                [rshift(m * g, 14) for m, g in zip(mantissas, slopes[index], strict=True)], prune
            )
            frac += layer.slope_frac - 14
        raise AssertionError("the last layer returns")

    def pruned(self, mantissas: list[int], prune: int) -> list[int]:
        bits = max(abs(m) for m in mantissas).bit_length()
        result = []
        for m in mantissas:
            if m == 0:
                result.append(0)
            elif prune == 15 or abs(m) << prune >= 1 << bits:
                self.counts["kept"] += 1
                result.append(m)
            else:
                self.counts["dropped"] += 1
                result.append(0)
        return result

    def accumulate(self, layer: Layer, inputs: list[int], update: list[int]) -> None:
        fed = [*inputs, 1 << layer.in_frac]
        for row, a in enumerate(fed):
            for unit, u in enumerate(update):
                layer.velocity[row][unit] += a * u
        for first in range(0, layer.outputs, self.neurons):
            if any(update[first : first + self.neurons]):
                self.counts["update_rows"] += sum(1 for a in inputs if a != 0) + 1

    def apply(self, momentum: int) -> None:
        """The end of a batch."""
        for layer in self.layers:
            down = layer.in_frac + self.update_frac - 28
            for row in range(layer.inputs + 1):
                for unit in range(layer.outputs):
                    v = layer.velocity[row][unit]
                    w = layer.master[row][unit] - rshift(v << 16, down + 16)
                    layer.master[row][unit] = self.clip(w, 32, "saturated_weights")
                    left = rshift(v * momentum, 15)
                    layer.velocity[row][unit] = self.clip(left, 45, "saturated_weights")

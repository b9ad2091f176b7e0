# SPDX-License-Identifier: BSD-2-Clause

"""The C functions of an exported network, templates with the network's `name`.

They follow `docs/reference/numerics.md`. C leaves the right shift of a negative number to the
compiler, so ``floor_shift`` shifts numbers that are not negative.
"""

HEAD = """\
/* A network $sizes with integer weights, written by dualgate; C99.

   The inputs of ${name}_infer have $input_frac fraction bits:
   x[i] is floor(real * 2^$input_frac + 1/2), within -32768 to 32767.
   Its outputs have $output_frac: y[q] / 2^$output_frac is $meaning.
   They are those of every device of dualgate, to the bit. The network's loss is $loss. */
#ifndef ${NAME}_H
#define ${NAME}_H

#include <stdint.h>

#define ${NAME}_INPUTS $inputs
#define ${NAME}_OUTPUTS $outputs
#define ${NAME}_INPUT_FRAC $input_frac
#define ${NAME}_OUTPUT_FRAC $output_frac
"""

LAYER = """\
static inline int64_t ${name}_round_shift(int64_t x, int32_t shift)
{
    int64_t sum = shift ? x + ((int64_t)1 << (shift - 1)) : x;
    return sum < 0 ? ~(~sum >> shift) : sum >> shift;
}

static inline void ${name}_layer(const int16_t *a, int16_t *z, int32_t inputs, int32_t outputs,
                                 const int16_t *w, int32_t in_frac, int32_t shift)
{
    for (int32_t q = 0; q < outputs; q++) {
        int64_t sum = ((int64_t)1 << in_frac) * w[inputs * outputs + q];
        for (int32_t r = 0; r < inputs; r++)
            sum += (int32_t)a[r] * w[r * outputs + q];
        sum = ${name}_round_shift(sum, shift);
        z[q] = (int16_t)(sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum);
    }
}
"""

_TABLE = """\
static inline void ${{name}}_{kind}(int16_t *z, int32_t units)
{{
    for (int32_t q = 0; q < units; q++) {{
        int32_t size = z[q] < 0 ? -(int32_t)z[q] : z[q];
        int32_t index = (int32_t)${{name}}_round_shift(size, {shift});
        int32_t h = ${{name}}_half_sigmoid[index < 2047 ? index : 2047];
        {rule}
    }}
}}
"""

_ELEMENT = """\
static inline void ${{name}}_{kind}(int16_t *z, int32_t units)
{{
    for (int32_t q = 0; q < units; q++)
        z[q] = (int16_t)(z[q] > 0 ? {above} : {below});
}}
"""

_SOFTMAX = """\
static inline void ${name}_softmax(int16_t *z, int32_t units)
{
    int32_t largest = -32768, bits = 0;
    int64_t total = 0, reciprocal;
    for (int32_t q = 0; q < units; q++)
        largest = z[q] > largest ? z[q] : largest;
    for (int32_t q = 0; q < units; q++) {
        int64_t index = ${name}_round_shift(largest - z[q], 2);
        total += index < 2048 ? ${name}_exponential[index] : 0;
    }
    while (total >> bits)
        bits++;
    reciprocal = ((int64_t)1 << (bits + 15)) / total;
    for (int32_t q = 0; q < units; q++) {
        int64_t index = ${name}_round_shift(largest - z[q], 2);
        int64_t power = index < 2048 ? ${name}_exponential[index] : 0;
        z[q] = (int16_t)${name}_round_shift(power * reciprocal, bits + 1);
    }
}
"""

_SIGMOID = "z[q] = (int16_t)${name}_round_shift(z[q] < 0 ? 32768 - h : 32768 + h, 2);"
_TANH = "h = (int32_t)${name}_round_shift(h, 1);\n        z[q] = (int16_t)(z[q] < 0 ? -h : h);"

ACTIVATIONS = {
    "relu": _ELEMENT.format(kind="relu", above="z[q]", below="0"),
    "leaky_relu": _ELEMENT.format(
        kind="leaky_relu", above="z[q]", below="${name}_round_shift(z[q], 7)"
    ),
    "step": _ELEMENT.format(kind="step", above="16384", below="0"),
    "sigmoid": _TABLE.format(kind="sigmoid", shift=4, rule=_SIGMOID),
    "tanh": _TABLE.format(kind="tanh", shift=3, rule=_TANH),
    "softmax": _SOFTMAX,
}
"""Template of the function of each activation but the identity, by its name; in place."""

INFER = """\
/* Answer for the inputs x; the head of this file has the formats of x and y. */
static inline void ${name}_infer(const int16_t x[${NAME}_INPUTS], int16_t y[${NAME}_OUTPUTS])
{
    int16_t first[$widest], second[$widest];
    @LAYERS@
    (void)second;
    for (int32_t q = 0; q < ${NAME}_OUTPUTS; q++)
        y[q] = @RESULT@[q];
}
"""

CLASS = """\
/* The class of outputs y: the first of the largest. */
static inline int32_t ${name}_class(const int16_t y[${NAME}_OUTPUTS])
{
    int32_t best = 0;
    for (int32_t q = 1; q < ${NAME}_OUTPUTS; q++)
        best = y[q] > y[best] ? q : best;
    return best;
}
"""

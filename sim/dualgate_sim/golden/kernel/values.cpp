// SPDX-License-Identifier: BSD-2-Clause
// The forward pass, the errors at the outputs, and the sums of outer products: model.py compiled.

#include "block.h"
#include "numbers.h"

void Block::multiply(const Layer &layer, const Sparse &inputs) {
    sums.resize(samples * layer.stride);
    // A strip of the weights stays in the cache for all samples.
    strips(layer.stride, [&](int64_t column, int vectors) {
        for (int64_t s = 0; s < samples; ++s) {
            int64_t at = inputs.begin(s);
            strip(vectors, &inputs.places[at], &inputs.numbers[at], inputs.count(s),
                  layer.weights + column, layer.stride, &sums[s * layer.stride + column]);
        }
    });
}

void Block::forward(const int64_t *x, const uint8_t *const *masks, int64_t first, int64_t size,
                    int64_t *outputs) {
    samples = size;
    Sparse &given = parts[0].inputs;
    given.clear();
    for (int64_t s = 0; s < samples; ++s, x += layers[0].inputs) {
        given.expect(layers[0].inputs + 1);
        for (int64_t i = 0; i < layers[0].inputs; ++i) given.add(i, x[i]);
        given.add(layers[0].inputs, layers[0].one);
        given.end_row();
    }
    for (int64_t index = 0; index < count; ++index) {
        const Layer &layer = layers[index];
        const Sparse &inputs = parts[index].inputs;
        multiply(layer, inputs);
        tally.value_rows += layer.groups * inputs.size;
        bool hidden = index < count - 1;
        const uint8_t *mask = masks && hidden ? masks[index] + first * layer.outputs : nullptr;
        activate(index, mask, hidden ? &parts[index + 1].inputs : nullptr, outputs);
    }
}

// Narrows the sums of a layer; its values become the next layer's inputs, or the outputs.
void Block::activate(int64_t index, const uint8_t *mask, Sparse *next, int64_t *outputs) {
    const Layer &layer = layers[index];
    std::vector<double> &slopes = parts[index].slopes;
    slopes.assign(samples * layer.stride, 0);
    if (next) next->clear();
    double scale = power_of_two(-layer.z_shift);
    for (int64_t s = 0; s < samples; ++s) {
        if (next) next->expect(layer.outputs + 1);
        for (int64_t q = 0; q < layer.outputs; ++q) {
            double sum = sums[s * layer.stride + q];
            int64_t z = int64_t(narrow(sum, scale, tally.saturated_values));
            int64_t value = z;
            double slope = UNIT;
            if (!layer.softmax) {
                const int16_t *rule = layer.rule + 2 * (z + int64_t(HALF_RANGE));
                value = rule[0], slope = rule[1];
            }
            if (mask && !mask[s * layer.outputs + q]) value = 0, slope = 0;
            slopes[s * layer.stride + q] = slope;
            if (next) next->add(q, value);
            else outputs[s * layer.outputs + q] = value;
        }
        if (layer.softmax) softmax(outputs + s * layer.outputs);
        if (next) {
            next->add(layer.outputs, layers[index + 1].one);
            next->end_row();
        }
    }
}

// Replaces pre-activations by probabilities, as `activations.softmax_rule`.
void Block::softmax(int64_t *z) const {
    int64_t outputs = last().outputs, top = *std::max_element(z, z + outputs), total = 0;
    for (int64_t q = 0; q < outputs; ++q) {
        int64_t index = round_shift(top - z[q], settings.index_shift);
        total += z[q] = settings.powers[std::min(index, settings.last_power)];
    }
    int bits = bit_length(total);
    int64_t reciprocal = (int64_t(1) << (bits + 15)) / total;
    for (int64_t q = 0; q < outputs; ++q) z[q] = round_shift(z[q] * reciprocal, bits + 15 - UNIT_FRAC);
}

void Block::output_updates(const int64_t *outputs, const int64_t *target) {
    const Layer &layer = last();
    Part &part = parts[count - 1];
    part.updates.assign(samples * layer.stride, 0);
    double mantissa = settings.rate_mantissa, scale = power_of_two(-settings.rate_shift);
    for (int64_t s = 0; s < samples; ++s) {
        for (int64_t q = 0; q < layer.outputs; ++q) {
            int64_t at = s * layer.outputs + q, to = s * layer.stride + q;
            double error = narrow(outputs[at] - target[at], 1, tally.saturated_updates);
            if (settings.sloped) error = rounded(error * part.slopes[to], 1 / UNIT);
            part.updates[to] = narrow(error * mantissa, scale, tally.saturated_updates);
        }
    }
}

void Block::accumulate(int64_t index) {
    const Layer &layer = layers[index];
    const Part &part = parts[index];
    if (layer.frozen) return;
    for (int64_t s = 0; s < samples; ++s) {
        const float *updates = &part.updates[s * layer.stride];
        for (int64_t from = 0; from < layer.outputs; from += settings.neurons) {
            const float *to = updates + std::min(from + settings.neurons, layer.outputs);
            bool any = std::any_of(updates + from, to, [](float u) { return u != 0; });
            if (any) tally.update_rows += part.inputs.count(s);
        }
    }
    part.inputs.transpose(layer.inputs + 1, rows);
    // A strip of the update scalars stays in the cache for all rows.
    strips(layer.stride, [&](int64_t column, int vectors) {
        double gain[32];
        int64_t width = std::min(layer.outputs - column, int64_t(vectors) * 4);
        for (int64_t r = 0; r <= layer.inputs; ++r) {
            if (!rows.count(r)) continue;
            int64_t at = rows.begin(r);
            strip(vectors, &rows.places[at], &rows.numbers[at], rows.count(r),
                  &part.updates[column], layer.stride, gain);
            int64_t *velocity = layer.velocity + r * layer.outputs + column;
            for (int64_t q = 0; q < width; ++q) velocity[q] += int64_t(gain[q]);
        }
    });
}

// SPDX-License-Identifier: BSD-2-Clause
// The tangents of hidden units, one after another: tangents.py compiled.

#include "block.h"
#include "numbers.h"

// Finds the smallest shift that brings the sums into 16 bits; false where all of them are zero.
bool Block::normalised(const Layer &layer, int &shift) {
    double most = 0, least = 0;
    for (int64_t q = 0; q < layer.stride; ++q) {
        most = std::max(most, sums[q]);
        least = std::min(least, sums[q]);
    }
    int64_t top = std::max(int64_t(most), -1 - int64_t(least));
    shift = std::max(bit_length(top) - (VALUE_WIDTH - 1), 0);
    return most != 0 || least != 0;
}

// Makes the tangent behind a hidden layer from its sums.
void Block::prune(const Layer &layer, const double *slopes, int shift) {
    double scale = power_of_two(-shift), largest = 0;
    int64_t nonzero = 0;
    for (int64_t q = 0; q < layer.stride; ++q) {
        sums[q] = rounded(std::floor(sums[q] * scale) * slopes[q], 1 / UNIT);
        largest = std::max(largest, std::abs(sums[q]));
        nonzero += sums[q] != 0;
    }
    double threshold = 1;  // of integers, it keeps all but zero
    if (settings.prune != PRUNE_OFF) {
        int bits = bit_length(int64_t(largest));
        threshold = std::max(threshold, power_of_two(bits - settings.prune));
    }
    carried.size = 0;
    carried.expect(layer.outputs);
    for (int64_t q = 0; q < layer.outputs; ++q) {
        carried.add(q, sums[q], std::abs(sums[q]) >= threshold);
    }
    tally.kept += carried.size;
    tally.dropped += nonzero - carried.size;
}

// The sums' mantissas times the update scalars of the outputs: the update scalar of a tag.
double Block::contract(int shift, int frac, const float *updates) {
    double scale = power_of_two(-shift), delta = 0;
    for (int64_t q = 0; q < last().stride; ++q) delta += std::floor(sums[q] * scale) * updates[q];
    int down = std::min(std::max(frac, DELTA_SHIFT_MIN), DELTA_SHIFT_MAX);
    return narrow(delta, power_of_two(-down), tally.saturated_updates);
}

// Carries a tangent, of which `carried` has the seed, to the outputs; returns the update scalar.
double Block::tangent(int64_t tag_layer, int64_t sample) {
    bool alone = settings.tangent_lanes == 1;
    int frac = layers[tag_layer].slope_frac, shift = 0;
    for (int64_t index = tag_layer + 1; index < count; ++index) {
        const Layer &layer = layers[index];
        strips(layer.stride, [&](int64_t column, int vectors) {
            strip(vectors, carried.places.data(), carried.numbers.data(), carried.size,
                  layer.weights + column, layer.stride, &sums[column]);
        });
        if (!normalised(layer, shift)) return 0;
        chunk[index].alive = true;
        if (alone) tally.scale_rows += layer.groups;
        frac += WEIGHT_FRAC - shift;
        if (index == count - 1) break;
        prune(layer, &parts[index].slopes[sample * layer.stride], shift);
        frac += layer.slope_frac - UNIT_FRAC;
        if (alone) tally.tangent_rows += carried.size * layers[index + 1].groups;
        else for (int64_t i = 0; i < carried.size; ++i) chunk[index].kept[carried.places[i]] = 1;
    }
    return contract(shift, frac, &parts[count - 1].updates[sample * last().stride]);
}

// Counts the rows of the tags since the last call, which the tangent lanes carry together.
void Block::end_chunk(int64_t tag_layer) {
    for (int64_t index = tag_layer + 1; index < count; ++index) {
        Chunk &rows = chunk[index];
        if (rows.alive) tally.scale_rows += layers[index].groups;
        rows.alive = false;
        for (uint8_t &kept : rows.kept) {
            if (kept) tally.tangent_rows += layers[index + 1].groups;
            kept = 0;
        }
    }
}

void Block::tag_updates(int64_t tag_layer) {
    const Layer &layer = layers[tag_layer];
    Part &part = parts[tag_layer];
    part.updates.assign(samples * layer.stride, 0);
    if (layer.frozen) return;
    chunk.assign(count, Chunk());
    int64_t widest = 0;
    for (int64_t index = tag_layer + 1; index < count; ++index) {
        if (index < count - 1) chunk[index].kept.assign(layers[index].outputs, 0);
        widest = std::max(widest, layers[index].stride);
    }
    sums.resize(widest);
    for (int64_t s = 0; s < samples; ++s) {
        int64_t tags = 0;  // of this chunk
        for (int64_t tag = 0; tag < layer.outputs; ++tag) {
            double seed = part.slopes[s * layer.stride + tag];
            if (seed != 0) {
                carried.size = 0;
                carried.expect(1);
                carried.add(tag, seed);
                tally.tangent_rows += layers[tag_layer + 1].groups;
                part.updates[s * layer.stride + tag] = tangent(tag_layer, s);
                ++tags;
            }
            if (settings.tangent_lanes == 1) continue;
            bool word_ends = (tag + 1) % settings.neurons == 0 || tag + 1 == layer.outputs;
            if (word_ends || tags == settings.tangent_lanes) {
                end_chunk(tag_layer);
                tags = 0;
            }
        }
    }
}

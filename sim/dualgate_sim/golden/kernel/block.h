// SPDX-License-Identifier: BSD-2-Clause
// The arguments of the kernel, and its work on a block of samples.

#pragma once

#include <cstdint>
#include <vector>

#include "sparse.h"

// The layouts of these three are repeated in compiled.py.

struct Layer {
    int64_t inputs, outputs;
    int64_t stride;         // outputs, rounded up to a multiple of LANES; the rest is zero
    int64_t z_shift, one;
    int64_t slope_frac;
    int64_t groups;
    int64_t frozen, softmax;
    const float *weights;   // (inputs + 1, stride), the upper halves of the master weights
    const int16_t *rule;    // (2**16, 2), value and slope of each pre-activation
    int64_t *velocity;      // (inputs + 1, outputs)
};

struct Settings {
    int64_t rate_mantissa, rate_shift, prune, sloped;
    int64_t neurons, tangent_lanes;
    const int32_t *powers;  // exp(-x), followed by a zero
    int64_t last_power, index_shift;
};

struct Tally {
    int64_t value_rows, tangent_rows, scale_rows, update_rows, kept, dropped;
    int64_t saturated_values, saturated_updates, saturated_weights;
};

// A layer's part of a block of samples.
struct Part {
    Sparse inputs;               // with the one of the bias, as the last of each row
    std::vector<double> slopes;  // (samples, stride)
    std::vector<float> updates;  // (samples, stride)
};

// The memory that the kernel needs; it stays from call to call, as fresh memory is slow.
struct Memory {
    std::vector<Part> parts;
    std::vector<double> sums;  // (samples, stride) of a layer, or (stride) of a tangent
    Sparse tangent;            // of one tag
    Sparse rows;               // the inputs of a layer, sorted by rows of weights
};

class Block {
public:
    Block(const Layer *layers, int64_t count, const Settings &settings, Tally &tally,
          Memory &memory)
        : layers(layers), count(count), settings(settings), tally(tally), parts(memory.parts),
          sums(memory.sums), carried(memory.tangent), rows(memory.rows) {
        parts.resize(count);
    }

    void forward(const int64_t *x, const uint8_t *const *masks, int64_t first, int64_t samples,
                 int64_t *outputs);
    void output_updates(const int64_t *outputs, const int64_t *target);
    void tag_updates(int64_t tag_layer);
    void accumulate(int64_t index);

private:
    const Layer *layers;
    int64_t count;
    const Settings &settings;
    Tally &tally;
    std::vector<Part> &parts;
    std::vector<double> &sums;
    Sparse &carried, &rows;
    int64_t samples = 0;

    const Layer &last() const { return layers[count - 1]; }
    void multiply(const Layer &layer, const Sparse &inputs);
    void activate(int64_t index, const uint8_t *mask, Sparse *next, int64_t *outputs);
    void softmax(int64_t *z) const;
    double contract(int shift, int frac, const float *updates);

    struct Chunk {  // rows that tags of a chunk have in common, in a later layer
        bool alive = false;
        std::vector<uint8_t> kept;
    };
    std::vector<Chunk> chunk;
    double tangent(int64_t tag_layer, int64_t sample);
    bool normalised(const Layer &layer, int &shift);
    void prune(const Layer &layer, const double *slopes, int shift);
    void end_chunk(int64_t tag_layer);
};

// SPDX-License-Identifier: BSD-2-Clause
// The golden model compiled: what model.py and tangents.py compute, in the same steps and with the
// same bits and counts, but one sample after another and only for numbers that are not zero.

#include "block.h"
#include "numbers.h"

const int64_t BLOCK = 128;  // samples at a time, whose values and slopes stay in the cache

extern "C" void *open_memory() { return new Memory; }

extern "C" void close_memory(void *memory) { delete static_cast<Memory *>(memory); }

// Computes outputs and, where there are targets, adds the gradient to the velocities.
extern "C" void run(void *memory, const Layer *layers, int64_t count, const Settings *settings,
                    Tally *tally, const int64_t *x, const int64_t *target,
                    const uint8_t *const *masks, int64_t samples, int64_t *outputs) {
    Block block(layers, count, *settings, *tally, *static_cast<Memory *>(memory));
    int64_t width = layers[count - 1].outputs;
    for (int64_t first = 0; first < samples; first += BLOCK) {
        int64_t size = std::min(BLOCK, samples - first);
        int64_t *made = outputs + first * width;
        block.forward(x + first * layers[0].inputs, masks, first, size, made);
        if (!target) continue;
        block.output_updates(made, target + first * width);
        for (int64_t index = 0; index < count - 1; ++index) block.tag_updates(index);
        for (int64_t index = 0; index < count; ++index) block.accumulate(index);
    }
}

// Ends a batch: master weights, velocities and the weights that `run` reads change in place.
extern "C" void apply(const Layer *layer, int64_t *master, float *weights, int64_t shift,
                      int64_t bias, int64_t momentum, Tally *tally) {
    int64_t *velocity = layer->velocity;
    for (int64_t r = 0; r <= layer->inputs; ++r) {
        for (int64_t q = 0; q < layer->outputs; ++q, ++master, ++velocity) {
            if (!*velocity) continue;  // neither changes; whole rows of velocities may be zero
            int64_t step = round_shift(*velocity << bias, shift);
            *master = saturate(*master - step, MASTER_WIDTH, tally->saturated_weights);
            *velocity = saturate(round_shift(*velocity * momentum, MOMENTUM_FRAC),
                                 VELOCITY_KEPT_WIDTH, tally->saturated_weights);
            weights[r * layer->stride + q] = *master >> (MASTER_WIDTH - VALUE_WIDTH);
        }
    }
}

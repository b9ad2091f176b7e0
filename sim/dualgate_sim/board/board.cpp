// SPDX-License-Identifier: BSD-2-Clause
// Drives the line of a compiled board from buffers of bytes.

#include <cstdint>

#include "Vboard.h"
#include "verilated.h"

// The compiler's spelling of the double underscore in a port's name.
#define RECEIVED(member) line___05Freceived___05F##member
#define SENT(member) line___05Fsent___05F##member
#define TICK line___05Ftick

namespace {

const int64_t BITS = 10;  // of a byte on the line
const int64_t UNIT = 256;  // of a cycle

struct Model {
    VerilatedContext context;
    Vboard board{&context};
    // Time left until the line can carry the next byte in, the next out, and the next bit.
    int64_t in = 0, out = 0, bit = 0;
};

}  // namespace

extern "C" {

void *board_open() {
    auto *model = new Model;
    model->board.clk = 0;
    model->board.eval();
    return model;
}

void board_close(void *handle) {
    auto *model = static_cast<Model *>(handle);
    model->board.final();
    delete model;
}

// Runs for `cycles` cycles, or until a frame has left. A bit takes `bit` / 256 cycles; where that
// is zero, every cycle can carry a byte. Sets `taken` and `given`, and returns the cycles.
int64_t board_run(void *handle, const uint8_t *in, int64_t in_bytes, int64_t *taken, uint8_t *out,
                  int64_t out_bytes, int64_t *given, int64_t cycles, int64_t bit) {
    auto *model = static_cast<Model *>(handle);
    auto &board = model->board;
    int64_t done = 0;
    *taken = *given = 0;
    bool left = false;
    while (done < cycles && *given < out_bytes && !left) {
        model->in -= UNIT;
        model->out -= UNIT;
        model->bit -= UNIT;
        const bool comes = model->in <= 0 && *taken < in_bytes;
        board.RECEIVED(valid) = comes;
        board.RECEIVED(payload) = comes ? in[*taken] : 0;
        board.SENT(ready) = model->out <= 0;
        board.TICK = model->bit <= 0;
        board.eval();
        // An idle line saves no time up, but for the part of a cycle that rounding left.
        if (comes) {
            model->in = (model->in > -UNIT ? model->in : 0) + BITS * bit;
            ++*taken;
        }
        if (board.SENT(valid) && model->out <= 0) {
            model->out = (model->out > -UNIT ? model->out : 0) + BITS * bit;
            out[(*given)++] = board.SENT(payload);
            left = board.SENT(payload) == 0;
        }
        if (model->bit <= 0) model->bit += bit;
        model->context.timeInc(1);
        board.clk = 1;
        board.eval();
        model->context.timeInc(1);
        board.clk = 0;
        ++done;
    }
    return done;
}
}

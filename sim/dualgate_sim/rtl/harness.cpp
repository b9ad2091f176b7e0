// SPDX-License-Identifier: BSD-2-Clause
// Drives the compiled engine's two streams from whole buffers of words.

#include <cstdint>
#include <memory>

#include "Vengine.h"
#include "verilated.h"
#if VM_TRACE
#include "waveform.h"
#endif

// The compiler's spelling of the double underscore in a port's name.
#define COMMAND(member) command___05F##member
#define RESPONSE(member) response___05F##member

namespace {

// A beat of the command port, as wide as it is; zeros stand behind the last word.
void put(IData &port, const uint32_t *words, int64_t left) { port = left > 0 ? words[0] : 0; }

void put(QData &port, const uint32_t *words, int64_t left) {
    port = (left > 0 ? words[0] : 0) | uint64_t(left > 1 ? words[1] : 0) << 32;
}

template <std::size_t N>
void put(VlWide<N> &port, const uint32_t *words, int64_t left) {
    for (std::size_t i = 0; i < N; ++i) port[i] = int64_t(i) < left ? words[i] : 0;
}

const int64_t BEAT = (sizeof(Vengine::COMMAND(payload)) + 3) / 4;

struct Model {
    VerilatedContext context;
    Vengine engine{&context};
    uint64_t random = 0;
    uint32_t stall_in = 0, stall_out = 0;
    uint64_t period = 2;  // of the clock, in the picoseconds of a waveform
#if VM_TRACE
    std::unique_ptr<Waveform> trace;
    bool whole = true;  // all waveforms that have ended
#endif

    // A stall holds once begun only as long as the generator says; odds are in 1/256 a cycle.
    bool stalls(uint32_t odds) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        return (random >> 32 & 0xff) < odds;
    }

    void dump() {
#if VM_TRACE
        if (trace) trace->writer.dump(context.time());
#endif
    }

    // The low half of the cycle is evaluated by whoever set the inputs.
    void edge() {
        dump();
        context.timeInc(period / 2);
        engine.clk = 1;
        engine.eval();
        dump();
        context.timeInc(period - period / 2);
        engine.clk = 0;
    }
};

}  // namespace

extern "C" {

void *model_open() {
    auto *model = new Model;
    model->engine.clk = 0;
    model->engine.COMMAND(valid) = 0;
    model->engine.RESPONSE(ready) = 0;
    model->engine.eval();
    return model;
}

void model_stall(void *handle, uint64_t seed, uint32_t odds_in, uint32_t odds_out) {
    auto *model = static_cast<Model *>(handle);
    model->random = seed * 0x9e3779b97f4a7c15ull | 1;
    model->stall_in = odds_in;
    model->stall_out = odds_out;
}

// Ends a waveform, if there is one.
void model_end_trace(void *handle) {
#if VM_TRACE
    auto *model = static_cast<Model *>(handle);
    if (model->trace) model->whole &= model->trace->end();
    model->trace.reset();
#else
    (void)handle;
#endif
}

// Ends a simulation; 0 where a waveform of it could not be written in full.
int model_close(void *handle) {
    auto *model = static_cast<Model *>(handle);
    model_end_trace(handle);
    model->engine.final();
#if VM_TRACE
    const bool whole = model->whole;
#else
    const bool whole = true;
#endif
    delete model;
    return whole;
}

// Begins a waveform of `scope` and what is inside; 0 where the model was built without tracing.
int model_trace(void *handle, const char *path, const char *scope, uint64_t period) {
#if VM_TRACE
    model_end_trace(handle);
    auto *model = static_cast<Model *>(handle);
    model->period = period;
    model->context.traceEverOn(true);
    model->trace = std::make_unique<Waveform>(path);
    model->trace->writer.dumpvars(99, scope);
    model->engine.trace(&model->trace->writer, 99);
    return model->trace->begin();
#else
    (void)handle;
    (void)path;
    (void)scope;
    (void)period;
    return 0;
#endif
}

// Feeds all of `in`, collects responses until `responses` of them are whole, and returns how many
// words they are: -1 if nothing moves for `patience` cycles, -2 if `out` is too small.
int64_t model_exchange(void *handle, const uint32_t *in, int64_t in_words, uint32_t *out,
                         int64_t out_words, int64_t responses, int64_t patience) {
    auto *model = static_cast<Model *>(handle);
    auto &engine = model->engine;
    int64_t fed = 0, got = 0, left = 0, waited = 0;
    while (responses > 0 || fed < in_words) {
        engine.COMMAND(valid) = fed < in_words && !model->stalls(model->stall_in);
        put(engine.COMMAND(payload), in + fed, in_words - fed);
        engine.RESPONSE(ready) = !model->stalls(model->stall_out);
        engine.eval();
        const bool takes = engine.COMMAND(valid) && engine.COMMAND(ready);
        const bool gives = engine.RESPONSE(valid) && engine.RESPONSE(ready);
        if (gives) {
            if (got == out_words) return -2;
            const uint32_t word = engine.RESPONSE(payload);
            out[got++] = word;
            left = left ? left - 1 : word >> 16;
            if (!left) --responses;
        }
        model->edge();
        fed += takes * BEAT;
        waited = takes || gives ? 0 : waited + 1;
        if (waited > patience) return -1;
    }
    engine.COMMAND(valid) = 0;
    engine.RESPONSE(ready) = 0;
    return got;
}
}

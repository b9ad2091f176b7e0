// SPDX-License-Identifier: BSD-2-Clause
// Narrowing of integers in doubles. All sums stay below 2**53 and all factors of a scaling are powers
// of two, so that nothing rounds but `floor`, and the compiler may reorder sums.
//
// compiled.py defines the constants of the number formats (UNIT_FRAC and the like) and LANES.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

const double HALF_RANGE = 1 << (VALUE_WIDTH - 1), UNIT = 1 << UNIT_FRAC;

inline double power_of_two(int exponent) {
    int64_t bits = int64_t(exponent + 1023) << 52;
    double power;
    std::memcpy(&power, &bits, sizeof power);
    return power;
}

inline double rounded(double x, double scale) { return std::floor(x * scale + 0.5); }

inline double narrow(double x, double scale, int64_t &clipped) {
    double whole = rounded(x, scale);
    double kept = std::min(std::max(whole, -HALF_RANGE), HALF_RANGE - 1);
    clipped += kept != whole;
    return kept;
}

inline int bit_length(int64_t x) { return x ? 64 - __builtin_clzll(x) : 0; }

inline int64_t round_shift(int64_t x, int64_t shift) {
    return (x + ((int64_t(1) << shift) >> 1)) >> shift;
}

inline int64_t saturate(int64_t x, int width, int64_t &clipped) {
    int64_t limit = int64_t(1) << (width - 1);
    int64_t kept = std::min(std::max(x, -limit), limit - 1);
    clipped += kept != x;
    return kept;
}

// SPDX-License-Identifier: BSD-2-Clause
// Lists of numbers that are not zero, and their products with dense rows.

#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

// Rows of numbers of which those that are zero are left out.
struct Sparse {
    std::vector<int64_t> ends;
    std::vector<int32_t> places;
    std::vector<double> numbers;
    int64_t size = 0;

    void clear() { ends.clear(), size = 0; }
    int64_t begin(int64_t row) const { return row ? ends[row - 1] : 0; }
    int64_t count(int64_t row) const { return ends[row] - begin(row); }
    int64_t rows() const { return ends.size(); }
    void end_row() { ends.push_back(size); }

    // Makes room for further calls of `add`.
    void expect(int64_t numbers_to_come) {
        size_t needed = size + numbers_to_come;
        if (needed > places.size()) places.resize(2 * needed), numbers.resize(2 * needed);
    }

    // Stores a number, and forgets it unless it is to be kept: faster than a branch, which nothing
    // predicts.
    void add(int32_t place, double number, bool kept) {
        places[size] = place, numbers[size] = number;
        size += kept;
    }

    void add(int32_t place, double number) { add(place, number, number != 0); }

    void transpose(int64_t columns, Sparse &result) const {
        std::vector<int64_t> next(columns + 1);
        for (int64_t i = 0; i < size; ++i) ++next[places[i] + 1];
        for (int64_t i = 0; i < columns; ++i) next[i + 1] += next[i];
        result.clear();
        result.expect(size);
        result.size = size;
        for (int64_t row = 0, i = 0; row < rows(); ++row) {
            for (; i < ends[row]; ++i) {
                int64_t at = next[places[i]]++;
                result.places[at] = row;
                result.numbers[at] = numbers[i];
            }
        }
        result.ends.assign(next.begin(), next.end() - 1);
    }
};

typedef double Four __attribute__((vector_size(32)));

// The sums of V * 4 columns: of each listed number times the row of `dense` at its place.
template <int V>
void columns(const int32_t *places, const double *numbers, int64_t count, const float *dense,
             int64_t stride, double *sums) {
    Four total[V] = {};
    for (int64_t i = 0; i < count; ++i) {
        const float *row = dense + places[i] * stride;
        for (int v = 0; v < V; ++v) {
            const float *from = row + 4 * v;
            total[v] += Four{from[0], from[1], from[2], from[3]} * numbers[i];
        }
    }
    std::memcpy(sums, total, sizeof total);
}

// Calls `f` with the first column and the number of vectors of each strip of a row.
template <typename F>
void strips(int64_t stride, F f) {
    int64_t column = 0;
    for (; column + 32 <= stride; column += 32) f(column, 8);
    if (column + 16 <= stride) f(column, 4), column += 16;
    if (column + 8 <= stride) f(column, 2);
}

inline void strip(int vectors, const int32_t *places, const double *numbers, int64_t count,
           const float *dense, int64_t stride, double *sums) {
    if (vectors == 8) columns<8>(places, numbers, count, dense, stride, sums);
    else if (vectors == 4) columns<4>(places, numbers, count, dense, stride, sums);
    else columns<2>(places, numbers, count, dense, stride, sums);
}

// SPDX-License-Identifier: BSD-2-Clause
// The functions of liblz4 that Verilator's writer of FST calls, for machines with the library but
// without its headers. The compiler looks here last.

#pragma once

extern "C" {
int LZ4_compressBound(int input_size);
int LZ4_compress_default(const char *source, char *target, int source_size, int target_capacity);
}

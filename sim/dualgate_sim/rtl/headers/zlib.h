// SPDX-License-Identifier: BSD-2-Clause
// The functions of zlib that Verilator's writer of FST calls, for machines with the library but
// without its headers. The compiler looks here last.

#pragma once

typedef unsigned char Bytef;
typedef unsigned long uLong;
typedef unsigned long uLongf;

const int Z_OK = 0;

extern "C" {
uLong compressBound(uLong source_size);
int compress2(Bytef *target, uLongf *target_size, const Bytef *source, uLong source_size,
              int level);
}

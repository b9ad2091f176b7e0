// SPDX-License-Identifier: BSD-2-Clause
// Included before Verilator's writer of FST, which would end the process after a write that failed,
// as on a full disk: it compares the position in the file with the expected one.

#pragma once

#include "fstcpp/fstcpp_assertion.h"

#undef FST_DCHECK_EQ
#define FST_DCHECK_EQ(a, b)

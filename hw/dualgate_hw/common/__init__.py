# SPDX-License-Identifier: BSD-2-Clause

"""Building blocks of both engines: shapes, rounding, MAC array, tables, activation rules."""

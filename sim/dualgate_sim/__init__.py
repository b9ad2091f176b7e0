# SPDX-License-Identifier: BSD-2-Clause

"""Simulation: the golden model, the float reference and the compiled RTL."""

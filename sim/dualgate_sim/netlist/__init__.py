# SPDX-License-Identifier: BSD-2-Clause

"""Synthesised netlists, compiled and simulated gate by gate."""

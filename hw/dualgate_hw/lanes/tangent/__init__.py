# SPDX-License-Identifier: BSD-2-Clause

"""Tangent lane: seeds, rows issued, sums, scaling, pruning and contraction of tangents."""

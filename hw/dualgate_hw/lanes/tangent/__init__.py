"""Tangent lane: seeds, rows issued, sums, scaling, pruning and contraction of tangents."""

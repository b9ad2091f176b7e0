# SPDX-License-Identifier: BSD-2-Clause

"""The compact engine, for parts too small for lanes of their requests: one sample after the other.

A program does what every command asks for, with one set of multipliers, one unit that narrows, one
memory of rows, and three loops in hardware: along a list, over rows of velocities, over a row's
lanes at a batch's end.
"""

from .engine import CompactEngine

__all__ = ["CompactEngine"]

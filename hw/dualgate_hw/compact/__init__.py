# SPDX-License-Identifier: BSD-2-Clause

"""The compact engine, for parts too small for separate lanes: it takes one sample at a time.

A program carries out every command. It works with one set of multipliers, one unit that narrows
numbers, one memory of rows, and three loops in hardware: dot products along a list, outer products
that are added to rows of velocities, and the step of a row's weights at a batch's end.
"""

from .engine import CompactEngine

__all__ = ["CompactEngine"]

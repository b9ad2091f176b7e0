"""The compact engine, for parts too small for lanes of their own: one sample after the other.

A sample takes its steps in turn, each a component with a state machine, on one set of multipliers,
one unit that narrows, and one memory of rows. `parts.Use` is how a step reaches these.
"""

from .engine import CompactEngine

__all__ = ["CompactEngine"]

# SPDX-License-Identifier: BSD-2-Clause

"""How many clock cycles a batch takes: exactly, cycle by cycle, and as a closed-form estimate.

Timing depends on which numbers are zero and never on their values, so the model takes flags
(`Activity`) and knows no arithmetic. `predict` follows every part of the engine through each
cycle, a piece per component; `estimate` only asks which part is slowest. Neither is for a compact
engine, whose program branches on values: `dualgate_sim.compact` interprets that.
"""

from .activity import Activity, Crossings, assumed_activity
from .choose import Choice, choose, memory_bits, multipliers
from .estimate import Estimate, estimate
from .model import Prediction, predict

__all__ = [
    "Activity",
    "Choice",
    "Crossings",
    "Estimate",
    "Prediction",
    "assumed_activity",
    "choose",
    "estimate",
    "memory_bits",
    "multipliers",
    "predict",
]

# SPDX-License-Identifier: BSD-2-Clause

"""Clock cycles of a batch: an exact model, cycle by cycle, and a closed-form estimate.

Timing depends on which numbers are zero and never on their values, so the model takes flags
(`Activity`) and does no arithmetic. `predict` follows every part of the engine through each cycle,
with one class per component of the gateware; `estimate` only finds the slowest part. Neither
covers a compact engine, whose program branches on values: `dualgate_sim.compact` interprets that
program.
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

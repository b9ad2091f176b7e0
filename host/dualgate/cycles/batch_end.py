# SPDX-License-Identifier: BSD-2-Clause

"""Cycles of the end of a batch, in which the weight step visits the touched rows."""

from .activity import Activity, per_word
from .plan import Plan

FIXED_CYCLES = 8
"""Cycles of a weight step without a row: it takes the list, and its last strip is written."""


def batch_end_cycles(plan: Plan, activity: Activity) -> int:
    """Count the cycles of the batch's end.

    The weight step takes ``period * strips`` cycles a row, with a period of 1 on three arrays and 3
    on one. It visits the touched rows, in ``period * strips * rows + 8`` cycles. It visits all rows
    of the network, in ``period * strips * rows + 2 * layers + 7`` cycles, if `Activity.moving` is
    not known or if there are several cores.

    Parameters
    ----------
    plan : Plan
    activity : Activity
        The whole batch.
    """
    each = 3 // plan.engine.arrays * plan.engine.strips
    if activity.moving is None or plan.engine.cores > 1:
        rows = sum(g * (n + 1) for g, n in zip(plan.groups, plan.inputs, strict=True))
        return each * rows + 2 * plan.layers + 7
    neurons = plan.engine.neurons
    rows = sum(int((per_word(moving, neurons) > 0).sum()) for moving in activity.moving)
    return each * rows + FIXED_CYCLES

# SPDX-License-Identifier: BSD-2-Clause

"""Networks of PyTorch.

A module is read by what it computes: `checks` refuses what an export cannot show, `read` exports it
to a graph, and `operators` has the steps of each operation of the graph.
"""

from .read import from_torch
from .write import to_torch

__all__ = ["from_torch", "to_torch"]

# SPDX-License-Identifier: BSD-2-Clause

"""The compact engine as a model: an interpreter of its program, exact in results and in cycles."""

from .device import InterpretedDevice

__all__ = ["InterpretedDevice"]

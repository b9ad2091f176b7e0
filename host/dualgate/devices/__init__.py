# SPDX-License-Identifier: BSD-2-Clause

"""Devices: anything that computes the engine's arithmetic, opened by a string."""

from .base import Counters, Device, EngineDevice, open_device

__all__ = ["Counters", "Device", "EngineDevice", "open_device"]

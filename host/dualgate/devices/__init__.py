"""Devices: anything that computes the engine's arithmetic, opened by a string."""

from .base import Counters, Device, open_device

__all__ = ["Counters", "Device", "open_device"]

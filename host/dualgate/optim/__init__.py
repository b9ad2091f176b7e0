"""Optimisers, schedules of the learning rate, penalties and initialisers, in floating point."""

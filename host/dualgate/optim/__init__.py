# SPDX-License-Identifier: BSD-2-Clause

"""Optimisers, schedules of the learning rate, penalties and initialisers, in floating point."""

# SPDX-License-Identifier: BSD-2-Clause

"""Simulation of synthesised netlists, gate by gate."""

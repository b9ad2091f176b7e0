# SPDX-License-Identifier: BSD-2-Clause

"""Benchmarks: cycles beside yardsticks, and floating point beside PyTorch."""

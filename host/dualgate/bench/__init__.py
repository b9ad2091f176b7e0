# SPDX-License-Identifier: BSD-2-Clause

"""Benchmarks: cycles compared with yardsticks, and floating point compared with PyTorch."""

"""Benchmarks: cycles beside yardsticks, and floating point beside PyTorch."""

"""Synthesised netlists, compiled and simulated gate by gate."""

"""Simulation: the golden model, the float reference and the compiled RTL."""

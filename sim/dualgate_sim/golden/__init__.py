"""The golden model: the engine in numpy, bit for bit."""

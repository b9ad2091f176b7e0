"""The gateware: the training engine in Amaranth."""

"""The engine behind the BAR of a PCIe board."""

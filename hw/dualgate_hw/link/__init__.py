"""From the pins to the command stream: serial and PCIe."""

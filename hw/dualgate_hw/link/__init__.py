# SPDX-License-Identifier: BSD-2-Clause

"""From the pins to the command stream: serial and PCIe."""

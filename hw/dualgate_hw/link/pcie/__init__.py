# SPDX-License-Identifier: BSD-2-Clause

"""The engine behind the BAR of a PCIe board."""

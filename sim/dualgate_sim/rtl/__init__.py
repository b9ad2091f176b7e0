# SPDX-License-Identifier: BSD-2-Clause

"""The RTL, compiled by Verilator and driven through its command stream."""

# SPDX-License-Identifier: BSD-2-Clause

"""The gateware: the training engine in Amaranth."""

# SPDX-License-Identifier: BSD-2-Clause

"""Sites for the block RAMs and multipliers of an ECP5, found before nextpnr places anything."""

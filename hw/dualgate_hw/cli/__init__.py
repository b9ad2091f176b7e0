# SPDX-License-Identifier: BSD-2-Clause

"""Subcommands that need the gateware; `dualgate` finds them through entry points."""

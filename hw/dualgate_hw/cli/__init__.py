"""Subcommands that need the gateware; `dualgate` finds them through entry points."""

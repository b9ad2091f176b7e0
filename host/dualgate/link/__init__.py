# SPDX-License-Identifier: BSD-2-Clause

"""What travels below the commands: the contract of each link, for host and gateware."""

# SPDX-License-Identifier: BSD-2-Clause

"""The contract: every definition from which host, golden model and gateware are all built."""

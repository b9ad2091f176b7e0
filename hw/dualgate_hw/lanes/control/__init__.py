# SPDX-License-Identifier: BSD-2-Clause

"""Commands in, responses out: dispatcher, decoder, loader and access to rows."""

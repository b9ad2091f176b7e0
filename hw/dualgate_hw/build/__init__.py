# SPDX-License-Identifier: BSD-2-Clause

"""From a board's name to its bitstream, on open toolchains."""

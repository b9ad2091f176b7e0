# SPDX-License-Identifier: BSD-2-Clause

"""A simulated board: the engine and its serial link, served on a pseudo-terminal."""

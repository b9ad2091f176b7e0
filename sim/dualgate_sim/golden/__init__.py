# SPDX-License-Identifier: BSD-2-Clause

"""The golden model: the engine in numpy, bit for bit."""

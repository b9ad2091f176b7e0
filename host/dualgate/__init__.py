# SPDX-License-Identifier: BSD-2-Clause

"""Host side of the training engine: networks, data, devices, training and the command line."""

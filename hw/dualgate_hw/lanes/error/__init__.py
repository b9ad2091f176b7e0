# SPDX-License-Identifier: BSD-2-Clause

"""Error unit: outputs, errors and the update scalars of the output layer."""

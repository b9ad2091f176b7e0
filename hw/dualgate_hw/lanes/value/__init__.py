# SPDX-License-Identifier: BSD-2-Clause

"""Value lane: pre-activations and activations of each layer."""

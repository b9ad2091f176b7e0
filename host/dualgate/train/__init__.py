# SPDX-License-Identifier: BSD-2-Clause

"""A training run: recipe, trainer, weight updates, checkpoints and records."""

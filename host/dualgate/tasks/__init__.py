# SPDX-License-Identifier: BSD-2-Clause

"""Tasks: a data set, a network and a recipe under one name."""

# SPDX-License-Identifier: BSD-2-Clause

"""Samples: data sets, quantised samples, augmentation, metrics and files."""

# SPDX-License-Identifier: BSD-2-Clause

"""Samples: data sets, quantised samples, augmentation, metrics and files."""

from .builtin import load_digits
from .idx import load_idx
from .samples import Dataset, Samples

__all__ = ["Dataset", "Samples", "load_digits", "load_idx"]

# SPDX-License-Identifier: BSD-2-Clause

"""Samples: data sets, quantised samples, augmentation, metrics and files."""

from .builtin import load_digits
from .dataset import Dataset
from .images import load_images
from .samples import Samples

__all__ = ["Dataset", "Samples", "load_digits", "load_images"]

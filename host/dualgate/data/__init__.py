"""Samples: data sets, quantised samples, augmentation, metrics and files."""

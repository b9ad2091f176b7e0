# SPDX-License-Identifier: BSD-2-Clause

"""Networks in ONNX files.

A file is read in three parts: `load` takes it from the disk, `simplify` folds constants and removes
what computes nothing by the passes of onnxscript, and `chain` reads the operators that are left.
"""

from .chain import read_onnx
from .write import write_onnx

__all__ = ["read_onnx", "write_onnx"]

# SPDX-License-Identifier: BSD-2-Clause

"""Tables: files of columns with names, read by pandas, and what scikit-learn fits to them."""

from .fit import fit_preparation
from .read import is_parquet, read_table

__all__ = ["fit_preparation", "is_parquet", "read_table"]

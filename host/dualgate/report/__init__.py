# SPDX-License-Identifier: BSD-2-Clause

"""Reports of a run: summaries, pictures and progress."""

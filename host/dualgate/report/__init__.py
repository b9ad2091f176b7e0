# SPDX-License-Identifier: BSD-2-Clause

"""What a run shows: summaries, pictures and progress."""

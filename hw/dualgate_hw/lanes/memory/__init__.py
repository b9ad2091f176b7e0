# SPDX-License-Identifier: BSD-2-Clause

"""Memories of a core and the readers of its lists."""

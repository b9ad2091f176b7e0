# SPDX-License-Identifier: BSD-2-Clause

"""Helpers that tests share."""

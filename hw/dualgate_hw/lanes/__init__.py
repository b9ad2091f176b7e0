# SPDX-License-Identifier: BSD-2-Clause

"""The wide engine: value, error, tangent and update lanes side by side."""

# SPDX-License-Identifier: BSD-2-Clause

"""Models that tests compare the project with."""

# SPDX-License-Identifier: BSD-2-Clause

"""What `dualgate train` does: its options, its settings, the run, its pictures and its end."""

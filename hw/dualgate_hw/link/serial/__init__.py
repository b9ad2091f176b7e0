# SPDX-License-Identifier: BSD-2-Clause

"""The engine behind a UART: frames with checksums, which are acknowledged and repeated."""

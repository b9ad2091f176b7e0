# SPDX-License-Identifier: BSD-2-Clause

"""The engine behind a UART: frames with checksums, acknowledged and repeated."""

"""The engine behind a UART: frames with checksums, acknowledged and repeated."""

"""From a board's name to its bitstream, on open toolchains."""

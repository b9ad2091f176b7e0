"""The errors a user meets: one line that says what is wrong and what to do."""


class DualgateError(Exception):
    """Base of every error caused by input or environment; the CLI prints it and exits with 2."""


class InputError(DualgateError):
    """Data or a setting that cannot be used: wrong shape, not finite, out of range, unknown name."""


class FitError(DualgateError):
    """A network that does not fit the engine; names the memory, what it has and what is needed."""


class DeviceError(DualgateError):
    """A device that is unknown, cannot be opened, or broke its protocol."""


class MissingToolError(DualgateError):
    """A package or program that is not installed; says how to get it."""


class CheckpointError(DualgateError):
    """A checkpoint that cannot be read or does not match."""

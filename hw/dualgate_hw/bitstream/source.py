"""What Amaranth writes, as synthesis is given it."""

from .collisions import allow_collisions
from .names import without_indices


def for_synthesis(rtlil: str) -> str:
    """The same design, without what costs area for nothing and what yosys gets wrong."""
    return without_indices(allow_collisions(rtlil))

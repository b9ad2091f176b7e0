"""What Amaranth writes, as synthesis is given it."""

from .collisions import allow_collisions
from .contents import forget_contents
from .names import without_indices


def for_synthesis(rtlil: str) -> str:
    """The same design, without what costs area for nothing, what a part cannot do and what
    yosys gets wrong."""
    return without_indices(forget_contents(allow_collisions(rtlil)))

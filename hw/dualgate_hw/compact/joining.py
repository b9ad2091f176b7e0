# SPDX-License-Identifier: BSD-2-Clause

"""Two instructions in one: an instruction does the work of the one behind it if it can."""

from dataclasses import dataclass, replace

from .instructions import Action, AluOp, Cell, Condition
from .labels import Scope

UNCONDITIONAL = (Condition.NEVER, Condition.ALWAYS, Condition.LINK)


@dataclass(frozen=True)
class Instruction:
    """An instruction with names instead of numbers.

    Parameters
    ----------
    op : AluOp
    action : Action
    address : Cell or None
        The cell or, for actions on the row memory, the plane; None if neither is used.
    condition : Condition
    target : tuple of Scope and str, or None
        The label of the next instruction, and the scope in which it is looked up.
    """

    op: AluOp
    action: Action
    address: Cell | None
    condition: Condition
    target: tuple[Scope, str] | None


def join(before: Instruction, new: Instruction) -> Instruction | None:
    """One instruction that does the work of both, or None if there is none.

    `new` must not compute a result: it then works with the result of the instruction before it,
    which is A.

    Parameters
    ----------
    before, new : Instruction
        Two consecutive instructions; nothing goes to the second one.
    """
    idle = new.action is Action.NONE and new.condition is Condition.NEVER
    # SET_NUMBER gives the narrower 17 bits, of which A has 16, WRITE_ROW writes A, and a condition
    # tests A: in the instruction before, all three would see another number.
    if idle or new.op is not AluOp.KEEP or new.action in (Action.SET_NUMBER, Action.WRITE_ROW):
        return None
    if before.condition is not Condition.NEVER or new.condition not in UNCONDITIONAL:
        return None
    if Action.NONE not in (before.action, new.action):
        return None
    if before.action is Action.SET_LINK and new.condition is Condition.LINK:
        return None
    if None not in (before.address, new.address) and before.address != new.address:
        return None
    return replace(
        before,
        action=new.action if before.action is Action.NONE else before.action,
        address=new.address if before.address is None else before.address,
        condition=new.condition,
        target=new.target,
    )

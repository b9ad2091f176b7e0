# SPDX-License-Identifier: BSD-2-Clause

"""The compact engine's program: what each command does, in instructions."""

from ..assembler import Assembler
from ..parts import Places
from .activation_rules import activation_rules
from .apply import apply
from .basics import Code, add_count_routine
from .commands import dispatch, identify, refuse, report_counters
from .configure import set_layer, set_settings
from .data_memory import DataMemory, new_assembler
from .outputs import outputs
from .rows import read_rows, row_routines, write_rows
from .samples import begin_sample, end_work, take_front, take_inputs
from .tangents import tangents
from .updates import updates
from .values import mask_bit_routine, values

SAMPLE = (
    begin_sample,
    take_front,
    take_inputs,
    values,
    activation_rules,
    outputs,
    tangents,
    updates,
)
"""In the order in which a sample passes them; most end where the next begins."""

COMMANDS = (identify, set_layer, set_settings, write_rows, read_rows, report_counters, apply)

ROUTINES = (refuse, row_routines, mask_bit_routine, add_count_routine, end_work)


def assemble(places: Places) -> tuple[DataMemory, Assembler]:
    """The program, which begins with its first instruction, and where it keeps things.

    Parameters
    ----------
    places : Places
    """
    asm = new_assembler(places)
    code = Code(asm, DataMemory(asm, places), places)
    for part in (dispatch, *SAMPLE, *COMMANDS, *ROUTINES):
        part(code)
    return code.memory, asm

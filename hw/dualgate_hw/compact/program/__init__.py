# SPDX-License-Identifier: BSD-2-Clause

"""The compact engine's program: the work of each command, in instructions."""

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
from .samples import begin_sample, end_work, take_inputs, take_targets_and_masks
from .tangents import tangents
from .updates import updates
from .values import mask_bit_routine, values

SAMPLE = (
    begin_sample,
    take_targets_and_masks,
    take_inputs,
    values,
    activation_rules,
    outputs,
    tangents,
    updates,
)
"""The parts of the program in the order in which a sample passes them; most end where the next one
begins."""

COMMANDS = (identify, set_layer, set_settings, write_rows, read_rows, report_counters, apply)

ROUTINES = (refuse, row_routines, mask_bit_routine, add_count_routine, end_work)


def assemble(places: Places) -> tuple[DataMemory, Assembler]:
    """Assemble the program, which begins with its first instruction.

    Parameters
    ----------
    places : Places
        Sizes of the engine's memories.

    Returns
    -------
    DataMemory
        The cells that the program uses, by name.
    Assembler
        The program and the contents of its data memory.
    """
    asm = new_assembler(places)
    code = Code(asm, DataMemory(asm.cells, places), places)
    for part in (dispatch, *SAMPLE, *COMMANDS, *ROUTINES):
        part(code)
    return code.memory, asm

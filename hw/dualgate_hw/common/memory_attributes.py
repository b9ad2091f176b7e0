# SPDX-License-Identifier: BSD-2-Clause

"""Attributes by which a memory tells synthesis how it is used.

They are given to Amaranth's `Memory` as ``attrs`` and obeyed in `dualgate_hw.build.yosys_script`;
simulation ignores them.
"""

UNINITIALISED = "uninitialised"
"""Nothing reads a word of this memory before writing it, so its initial contents are dropped.

Large single-port RAM of some parts cannot be initialised. A memory with this attribute must be the
only memory of its component.
"""

FEW_WORDS = "few_words"
"""This memory has a few words and many readers, so LUTs are to hold it where LUTs can be memories.

Left alone, synthesis makes registers of it, and wide multiplexers for each reader.
"""

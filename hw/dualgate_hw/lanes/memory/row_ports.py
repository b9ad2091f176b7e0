# SPDX-License-Identifier: BSD-2-Clause

"""Ports of the row memories, through which strips are read and written.

A strip is a part of a row, as wide as `EngineParameters.strip`. The index of a strip counts through
the strips of all rows, row after row.
"""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...common.shapes import MASTER, VELOCITY, Shapes, vector


class RowPort(wiring.Signature):
    """Access to strips of weights and velocities, in use only while no sample is in flight.

    The end of a batch and the host use it. Where several clients may write, their strips are joined
    by OR, and a client that does not write offers zeros.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.

    Members
    -------
    `weights_from` : Out(shapes.strip_index)
        Strip of weights to read.
    `velocity_from` : Out(shapes.strip_index)
        Strip of velocities to read.
    `weights` : In(vector(shapes.strip, MASTER))
        Strip of weights that was read, a cycle later.
    `velocity` : In(vector(shapes.strip, VELOCITY))
        Strip of velocities that was read, a cycle later.
    `weights_to` : Out(shapes.strip_index)
        Strip of weights to write.
    `velocity_to` : Out(shapes.strip_index)
        Strip of velocities to write.
    `write_weights` : Out(1)
        Writes `new_weights`.
    `write_velocity` : Out(1)
        Writes `new_velocity`.
    `new_weights` : Out(vector(shapes.strip, MASTER))
        Weights to write.
    `new_velocity` : Out(vector(shapes.strip, VELOCITY))
        Velocities to write.
    `new_listed` : Out(1)
        Flag to write with them, see `TouchedRows`; the one of a row's last strip counts.
    """

    def __init__(self, shapes: Shapes) -> None:
        weights, velocity = vector(shapes.strip, MASTER), vector(shapes.strip, VELOCITY)
        super().__init__(
            {
                "weights_from": Out(shapes.strip_index),
                "velocity_from": Out(shapes.strip_index),
                "weights": In(weights),
                "velocity": In(velocity),
                "weights_to": Out(shapes.strip_index),
                "velocity_to": Out(shapes.strip_index),
                "write_weights": Out(1),
                "write_velocity": Out(1),
                "new_weights": Out(weights),
                "new_velocity": Out(velocity),
                "new_listed": Out(1),
            }
        )


class CoreRowPort(wiring.Signature):
    """Access to the strips of a core: the upper halves of its weights, and its own velocities.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.

    Members
    -------
    `weights_from` : Out(shapes.strip_index)
        Strip of weights to read.
    `velocity_from` : Out(shapes.strip_index)
        Strip of velocities to read.
    `upper` : In(vector(shapes.strip))
        Upper halves of the strip of weights that was read, a cycle later.
    `velocity` : In(vector(shapes.strip, VELOCITY))
        Strip of velocities that was read, a cycle later.
    `weights_to` : Out(shapes.strip_index)
        Strip of weights to write.
    `velocity_to` : Out(shapes.strip_index)
        Strip of velocities to write.
    `write_weights` : Out(1)
        Writes `new_upper`.
    `write_velocity` : Out(1)
        Writes `new_velocity`.
    `new_upper` : Out(vector(shapes.strip))
        Upper halves of weights to write.
    `new_velocity` : Out(vector(shapes.strip, VELOCITY))
        Velocities to write.
    `new_listed` : Out(1)
        Flag to write with them, see `TouchedRows`; the one of a row's last strip counts.
    """

    def __init__(self, shapes: Shapes) -> None:
        upper, velocity = vector(shapes.strip), vector(shapes.strip, VELOCITY)
        super().__init__(
            {
                "weights_from": Out(shapes.strip_index),
                "velocity_from": Out(shapes.strip_index),
                "upper": In(upper),
                "velocity": In(velocity),
                "weights_to": Out(shapes.strip_index),
                "velocity_to": Out(shapes.strip_index),
                "write_weights": Out(1),
                "write_velocity": Out(1),
                "new_upper": Out(upper),
                "new_velocity": Out(velocity),
                "new_listed": Out(1),
            }
        )

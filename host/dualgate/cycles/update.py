# SPDX-License-Identifier: BSD-2-Clause

"""The update lane of the model."""

from .parts import Clock, ListReader
from .plan import Batch, Plan

IDLE, FETCH, LAYER, READ, FOUND, SCALARS, WALK, NEXT, LEAVE = range(9)

WRITES = 4
"""Cycles after a step in which the update of its row is still in progress."""


class UpdateLane:
    """Walk a layer's list once for each of its groups that has a nonzero update scalar.

    A sample costs at least ``sum of (nonzeros + 1)`` steps over those groups. It starts with the
    output layer, once its errors are written; each hidden layer waits until the layer's tags have
    ended. The control costs 2 cycles for each layer, frozen or not, 4 for a group
    without update scalars and at least 5 for any other group. Control overlaps with the steps of
    earlier groups and of the sample before; but a sample's first step follows the last step of the
    sample before by 5 cycles.

    Parameters
    ----------
    plan : Plan
    batch : Batch
    clock : Clock

    Members
    -------
    state : int
        One of the constants of this module.
    layer : int
        The layer in progress, or the next one.
    leaves : bool
        Whether all jobs of a sample are issued, and the sample leaves after its last step.
    steps : int
        Requests that were taken.
    """

    def __init__(self, plan: Plan, batch: Batch, clock: Clock) -> None:
        self._plan = plan
        self._batch = batch
        self._clock = clock
        self._reader: ListReader[bool] = ListReader(alternates=True)
        self._side = False
        self._output = False
        self._sample = 0
        self._group = 0
        self.layer = 0
        self._last_step = -WRITES - 1
        self.state = IDLE
        self.leaves = False
        self.steps = 0

    def requests(self) -> bool:
        """Whether the MAC array is requested."""
        return self._reader.offers

    def busy(self) -> bool:
        """Whether any steps are pending, or the update of any row is in progress."""
        return self._reader.holds or self._clock.now - self._last_step <= WRITES

    def gives(self, granted: bool) -> bool:
        """Whether a sample leaves in this cycle; `granted` says if the offered step is taken."""
        return self.leaves and not self._reader.holds and self._reader.ready(granted)

    def take(self, sample: int) -> None:
        """Take sample number `sample` in this cycle, whose errors are written."""
        self._sample = sample
        self.layer = self._plan.layers - 1
        self._output = True
        self.state = FETCH

    def tick(self, granted: bool, complete: bool) -> bool:
        """Advance by a cycle, and return whether the last job of the sample is issued.

        Parameters
        ----------
        granted : bool
            Whether the MAC array takes the request.
        complete : bool
            Whether the tags of hidden layer `layer` have ended.
        """
        taken = False
        reader, state = self._reader, self.state
        if granted:
            self.steps += 1
            self._last_step = self._clock.now
        leaves, self.leaves = self.leaves, self.leaves and not self.gives(granted)
        if state == WALK:
            if not leaves and reader.ready(granted):
                count = self._batch.counts[self._sample][self.layer]
                reader.tick(granted, count, self._side, pairs=self.layer == 0)
                self._side = not self._side
                self.state = NEXT
                return False
        elif state == SCALARS:
            if not self._batch.updates[self._sample][self.layer][self._group]:
                self.state = NEXT
            elif not reader.uses(self._side):
                self.state = WALK
        elif state == NEXT:
            self._next()
        elif state == LAYER:
            self._group = 0
            self.state = READ
            if self._plan.frozen[self.layer]:
                self._next_layer()
        elif state in (READ, FOUND):
            self.state += 1
        elif state == FETCH:
            self.state += self._output or complete
        elif state == LEAVE and not leaves:
            self.leaves = taken = True
            self.state = IDLE
        reader.tick(granted)
        return taken

    def _next(self) -> None:
        self._group += 1
        self.state = READ
        if self._group == self._plan.groups[self.layer]:
            self._next_layer()

    def _next_layer(self) -> None:
        self.layer = 0 if self._output else self.layer + 1
        self._output = False
        self.state = LEAVE if self.layer == self._plan.layers - 1 else FETCH

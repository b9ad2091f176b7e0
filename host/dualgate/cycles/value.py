# SPDX-License-Identifier: BSD-2-Clause

"""The value lane of the model."""

from .parts import Clock, ListReader
from .plan import ACTIVATION_CYCLES, MAC_LATENCY, UNIT_CYCLES, Batch, Plan

IDLE, FETCH, LAYER, WALK, WAIT, DONE = range(6)


class Thread:
    """The progress of one sample through the layers.

    Members
    -------
    state : int
        IDLE, FETCH, LAYER, WALK, WAIT or DONE.
    sample, layer, group : int
        The sample in progress, its layer in progress, and the next group of that layer to walk.
    """

    __slots__ = ("group", "layer", "sample", "state")

    def __init__(self) -> None:
        self.state = IDLE
        self.sample = 0
        self.layer = 0
        self.group = 0


class ValueLane:
    """Threads that share a list reader, an accumulator and the activation unit.

    A sample costs at least

    - ``groups * (nonzeros + 1)`` steps on the MAC array for each layer;
    - the cycles of the activation unit: 9 and its units for a layer's last group, and N, but at
      least 4, for each other group. A group's last step waits until the unit can take its sums:
      until it has finished the group before, or only until the queue is empty if both are of one
      layer of a sample.

    A layer's list is complete, and the next layer's descriptor can be fetched, ``units + 13``
    cycles after the last step of the layer's last group. In the output layer the sample leaves
    one cycle earlier.

    Parameters
    ----------
    plan : Plan
    batch : Batch
    clock : Clock

    Members
    -------
    steps : int
        Requests that were taken.
    activating : int
        Cycles in which the activation unit holds a group.
    written : int
        Hidden layers of the oldest sample whose slopes are written, since it was set to 0; at most
        the number of hidden layers.
    """

    def __init__(self, plan: Plan, batch: Batch, clock: Clock) -> None:
        self._plan = plan
        self._batch = batch
        self._clock = clock
        self._reader: ListReader[tuple[Thread, int]] = ListReader()
        threads = plan.depths.threads
        self._threads = [Thread() for _ in range(threads)]
        self._newest = self._oldest = 0
        self._unit_free = self._queue_free = 0
        self._owner: Thread | None = None
        self.steps = 0
        self.activating = 0
        self.written = 0

    def requests(self) -> bool:
        """Whether the MAC array is requested."""
        reader = self._reader
        if not (reader.offers and reader.last) or reader.meta is None:
            return reader.offers
        follows = reader.meta[0] is self._owner
        return self._clock.now >= (self._queue_free if follows else self._unit_free)

    def takes(self) -> bool:
        """Whether a sample can enter."""
        return self._threads[self._newest].state == IDLE

    def offers(self) -> bool:
        """Whether the oldest sample is offered to the error unit."""
        return self._threads[self._oldest].state == DONE

    def tick(self, granted: bool) -> None:
        """Advance by a cycle; `granted` says whether the MAC array takes the request."""
        reader = self._reader
        if granted:
            self.steps += 1
            if reader.last:
                self._activate()
        fetch = walk = None
        for younger in reversed(range(len(self._threads))):
            thread = self._threads[(self._oldest + younger) % len(self._threads)]
            if thread.state == FETCH:
                fetch = thread
            elif thread.state == WALK:
                walk = thread
        for thread in self._threads:
            if thread.state == LAYER:
                thread.state = WALK
        if fetch is not None:
            fetch.state = LAYER
        if walk is not None and reader.ready(granted):
            reader.tick(granted, self._batch.counts[walk.sample][walk.layer], (walk, walk.group))
            walk.group += 1
            if walk.group == self._plan.groups[walk.layer]:
                walk.state = WAIT
        else:
            reader.tick(granted)

    def take(self, sample: int) -> None:
        """Take sample number `sample` in this cycle."""
        thread = self._threads[self._newest]
        thread.state = FETCH
        thread.sample = sample
        thread.layer = thread.group = 0
        self._newest = (self._newest + 1) % len(self._threads)

    def give(self) -> int:
        """Release the oldest sample in this cycle, and return its number."""
        thread = self._threads[self._oldest]
        thread.state = IDLE
        self._oldest = (self._oldest + 1) % len(self._threads)
        return thread.sample

    def _activate(self) -> None:
        """Pass a group, whose last step is taken, to the activation unit."""
        assert self._reader.meta is not None
        thread, group = self._reader.meta
        plan = self._plan
        units = plan.group_units[thread.layer][group]
        now = self._clock.now
        self.activating += now + units + UNIT_CYCLES - max(now, self._unit_free)
        self._unit_free = now + units + UNIT_CYCLES
        self._queue_free = now + max(MAC_LATENCY + 1, units)
        self._owner = thread
        if group == plan.groups[thread.layer] - 1:
            last = thread.layer == plan.layers - 1
            cycles = units + ACTIVATION_CYCLES - last
            self._clock.after(cycles, lambda: self._next_layer(thread))

    def _next_layer(self, thread: Thread) -> None:
        if thread is self._threads[self._oldest] and self.written < self._plan.layers - 1:
            self.written += thread.layer < self._plan.layers - 1
        thread.layer += 1
        thread.group = 0
        thread.state = DONE if thread.layer == self._plan.layers else FETCH

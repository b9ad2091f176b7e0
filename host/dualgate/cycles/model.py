# SPDX-License-Identifier: BSD-2-Clause

"""An exact model of the engine's control, cycle by cycle, without its arithmetic."""

from dataclasses import dataclass
from itertools import accumulate

from ..contract.engine import Depths, EngineParameters
from ..contract.network import Network
from . import update as updating
from .activity import Activity
from .batch_end import batch_end_cycles
from .error import ErrorUnit
from .loader import InputLists, Loader
from .parts import Clock
from .plan import Batch, Plan
from .tangent import TangentLane
from .update import UpdateLane
from .value import ValueLane


@dataclass(frozen=True)
class Prediction:
    """Cycles of a batch: TRAIN commands that never keep the engine waiting, then APPLY.

    Parameters
    ----------
    samples : int
        Number of TRAIN commands.
    cycles : int
        The value of the engine's counter ``cycles``.
    first, last : int
        Cycles in which the first and the last sample leave an update lane.
    batch_end : int
        Cycles of the batch's end, which overlaps with no other work.
    value, sums, scaler, update : int
        Requests that the MAC arrays of all cores took, one cycle each.
    activation, error, loader : int
        Cycles in which these parts worked, added up over all cores.
    """

    samples: int
    cycles: int
    first: int
    last: int
    batch_end: int
    value: int
    sums: int
    scaler: int
    update: int
    activation: int
    error: int
    loader: int

    @property
    def cycles_per_sample(self) -> float:
        """Mean cycles a sample, including the batch's end."""
        return self.cycles / self.samples

    @property
    def pace(self) -> float:
        """Mean cycles from one sample's end to the end of the next."""
        return (self.last - self.first) / max(1, self.samples - 1)


class Core:
    """A core with the samples in flight in it.

    Every part sees the registers of the others as they are at the beginning of a cycle, so `tick`
    evaluates all requests and handshakes first, and then advances every part.

    Parameters
    ----------
    plan : Plan
    batch : Batch
        The samples that go to this core.
    first : int
        Cycle in which the first of them is loaded.
    """

    def __init__(self, plan: Plan, batch: Batch, first: int) -> None:
        self.plan = plan
        self.clock = Clock()
        self.samples = batch.samples
        self.loader = Loader(batch.loads, first)
        self.value = ValueLane(plan, batch, self.clock)
        self.error = ErrorUnit(plan.error_pace, plan.error_cycles)
        self.tangent = TangentLane(plan, batch, self.clock)
        self.update = UpdateLane(plan, batch, self.clock)
        self.in_flight = 0
        # The sample that entered while the core was empty, until its errors are written.
        self.partial: int | None = None
        self.lists = InputLists(plan, batch)
        self.left = 0
        self.first = self.last = 0

    def grants(self) -> tuple[bool, bool, bool, bool]:
        """Arbitrate the requests of value lane, sums, scaler and update lane, in this order.

        Vector clients have priority over weight clients, and later lanes over earlier ones.
        """
        value, sums = self.value.requests(), self.tangent.sum_requests()
        scale, update = self.tangent.scale_requests(), self.update.requests()
        if self.plan.engine.arrays == 1:
            scale = scale and not update
            sums = sums and not (update or scale)
            return value and not (update or scale or sums), sums, scale, update
        return value, sums and not scale, scale, update

    def tick(self) -> bool:
        """Advance by a cycle, and return whether a sample was in the core."""
        clock, loader, value = self.clock, self.loader, self.value
        error, tangent, update = self.error, self.tangent, self.update
        now = clock.now
        clock.begin()
        working = self.in_flight > 0 or update.busy()
        by_value, by_sums, by_scale, by_update = self.grants()
        enters = loader.offers(now) and value.takes()
        to_error = error.takes(now) and value.offers()
        partial = self.partial is not None
        to_tangent = error.offers(now) and (partial or tangent.takes())
        to_update = update.state == updating.IDLE and not partial
        complete = tangent.complete(update.layer)
        leaves = update.gives(by_update)
        context_free = self.in_flight != self.plan.depths.contexts and self.lists.room
        written = value.written if partial else self.plan.layers
        value.tick(by_value)
        tangent.tick(by_sums, by_scale, written)
        if update.tick(by_update, complete):
            tangent.give()
        if to_update and tangent.oldest is not None:
            update.take(tangent.oldest)
        if to_tangent:
            finished = error.give()
            if not partial:
                tangent.take(finished)
            self.partial = None
        if to_error:
            error.take(now, value.give())
        if enters:
            value.take(loader.sample)
            if self.in_flight == 0:
                tangent.take(loader.sample)
                value.written = 0
                self.partial = loader.sample
        self.lists.tick(loader.sample if enters else None, self.left if leaves else None)
        loader.tick(now, context_free, enters)
        self.in_flight += enters - leaves
        if leaves:
            self.left += 1
            self.last = now
            self.first = self.first or now
        clock.now += 1
        return working


def predict(
    network: Network, engine: EngineParameters, activity: Activity, depths: Depths | None = None
) -> Prediction:
    """Follow a batch through the engine, cycle by cycle.

    Parameters
    ----------
    network : Network
    engine : EngineParameters
        Memory sizes do not matter.
    activity : Activity
        Nonzeros of the batch, with the pruning to predict for.
    depths : Depths or None
        By default ``Depths()``.

    Raises
    ------
    ValueError
        If the engine is compact: its program branches on values. `dualgate_sim.compact` interprets
        that program, and counts its cycles exactly.

    Notes
    -----
    The prediction is exact for one core. Several cores are followed side by side, each from the
    cycle in which its first sample is loaded. The model leaves out that cores wait for each other
    at the response port, and takes the depth of their queues to be unlimited.
    """
    if engine.compact:
        raise ValueError("a compact engine's cycles depend on values: interpret its program")
    plan = Plan(network, engine, depths or Depths())
    batches = [Batch(plan, part) for part in activity.split(engine.cores)]
    cores = [Core(plan, b, first) for b, first in zip(batches, _first(plan, batches), strict=True)]
    batch_end = batch_end_cycles(plan, activity)
    cycles = 0
    while True:
        working = any([core.tick() for core in cores])
        cycles += working
        if not working and all(core.left == core.samples for core in cores):
            break
    return Prediction(
        samples=activity.samples,
        cycles=cycles + batch_end,
        first=min(core.first for core in cores),
        last=max(core.last for core in cores),
        batch_end=batch_end,
        value=sum(core.value.steps for core in cores),
        sums=sum(core.tangent.steps for core in cores),
        scaler=sum(core.tangent.scalings for core in cores),
        update=sum(core.update.steps for core in cores),
        activation=sum(core.value.activating for core in cores),
        error=sum(core.error.busy for core in cores),
        loader=sum(core.loader.busy for core in cores),
    )


def _first(plan: Plan, batches: list[Batch]) -> list[int]:
    """Find the cycle in which each core's first sample is loaded; the earliest is 0.

    The dispatcher sends the cores' first samples one after the other, a beat a cycle; each core
    loads a word a cycle.
    """
    words = [batch.loads[0] for batch in batches]
    sent = accumulate((-(-(w + 1) // plan.engine.beat) for w in words[:-1]), initial=0)
    loaded = [start + w for start, w in zip(sent, words, strict=True)]
    return [cycle - min(loaded) for cycle in loaded]

"""The engine's control, cycle by cycle, without its arithmetic."""

from dataclasses import dataclass

from ..engine import EngineParameters
from ..network import Network
from . import update as updating
from .activity import Activity
from .error import ErrorUnit
from .loader import Loader
from .parts import Clock
from .plan import Batch, Depths, Plan
from .tangent import TangentLane
from .update import UpdateLane
from .value import ValueLane


@dataclass(frozen=True)
class Prediction:
    """Cycles of a batch: `samples` TRAIN commands that never keep the engine waiting, and APPLY.

    Parameters
    ----------
    samples : int
    cycles : int
        What the counter ``cycles`` shows.
    first, last : int
        Cycle in which the first sample leaves the update lane, and the last.
    batch_end : int
        Cycles of the batch's end, which overlaps with nothing.
    value, sums, scaler, update : int
        Requests that the MAC arrays took, a cycle each.
    activation, error, loader : int
        Cycles in which those parts worked.
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
        """Mean, the batch's end included."""
        return self.cycles / self.samples

    @property
    def pace(self) -> float:
        """Cycles from one sample's end to the next one's."""
        return (self.last - self.first) / max(1, self.samples - 1)


class Model:
    """An engine with a batch on its way.

    Every part sees the registers of the others as they are at a cycle's beginning: requests and
    handshakes are found first, and then all parts tick.

    Parameters
    ----------
    plan : Plan
    batch : Batch
    """

    def __init__(self, plan: Plan, batch: Batch) -> None:
        self.plan = plan
        self.clock = Clock()
        outputs = plan.outputs[-1]
        self.loader = Loader([counts[0] - 1 + outputs for counts in batch.counts])
        self.value = ValueLane(plan, batch, self.clock)
        self.error = ErrorUnit(plan.error_cycles)
        self.tangent = TangentLane(plan, batch, self.clock)
        self.update = UpdateLane(plan, batch, self.clock)
        self.in_flight = 0
        self.left = 0
        self.first = self.last = 0

    def grants(self) -> tuple[bool, bool, bool, bool]:
        """Which requests are taken in this cycle: of value lane, sums, scaler, update lane.

        Vector clients come before weight clients, and later lanes before earlier ones.
        """
        value, sums = self.value.requests(), self.tangent.sum_requests()
        scale, update = self.tangent.scale_requests(), self.update.requests()
        if self.plan.engine.arrays == 1:
            scale = scale and not update
            sums = sums and not (update or scale)
            return value and not (update or scale or sums), sums, scale, update
        return value, sums and not scale, scale, update

    def tick(self) -> bool:
        """One cycle; returns whether a sample was in the engine."""
        clock, loader, value = self.clock, self.loader, self.value
        error, tangent, update = self.error, self.tangent, self.update
        now = clock.now
        clock.begin()
        working = self.in_flight > 0 or update.busy()
        by_value, by_sums, by_scale, by_update = self.grants()
        enters = loader.offers(now) and value.takes()
        to_error = error.sample is None and value.offers()
        to_tangent = error.offers(now) and tangent.takes()
        to_update = update.state == updating.IDLE and tangent.offers()
        leaves = update.state == updating.DONE
        context_free = self.in_flight != self.plan.depths.contexts
        value.tick(by_value)
        tangent.tick(by_sums, by_scale)
        update.tick(by_update)
        if to_update:
            update.take(tangent.give())
        if to_tangent and error.sample is not None:
            tangent.take(error.sample)
            error.give()
        if to_error:
            error.take(now, value.give())
        if enters:
            value.take(loader.sample)
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
    """Follow a batch through the engine.

    Parameters
    ----------
    network : Network
    engine : EngineParameters
        Only `neurons` and `arrays` matter.
    activity : Activity
        Of the batch, under the pruning in question.
    depths : Depths
    """
    plan = Plan(network, engine, depths or Depths())
    model = Model(plan, Batch(plan, activity))
    cycles = 0
    while True:
        working = model.tick()
        cycles += working
        if model.left == activity.samples and not working:
            break
    return Prediction(
        samples=activity.samples,
        cycles=cycles + plan.batch_end_cycles,
        first=model.first,
        last=model.last,
        batch_end=plan.batch_end_cycles,
        value=model.value.steps,
        sums=model.tangent.steps,
        scaler=model.tangent.scalings,
        update=model.update.steps,
        activation=model.value.activating,
        error=model.error.busy,
        loader=model.loader.busy,
    )

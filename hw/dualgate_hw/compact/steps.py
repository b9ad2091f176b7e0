"""The steps of a sample and of a batch's end, in their order, on the parts that they share."""

from amaranth import Module
from amaranth.hdl import Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.commands import COUNTERS

from ..layouts import ENTRY, SETTINGS, VALUE, WORD
from ..value import loaded
from .batch_end import BatchEnd
from .lists import Descriptors, ListWalker
from .multipliers import Multipliers, Narrower
from .outputs import Outputs
from .parts import Places, Use, merge
from .store import EntryAccess, RowStore
from .tangents import Tangents
from .updates import Updates
from .values import Values

EVENTS = tuple(name for name in COUNTERS if name != "cycles")
"""What steps count, one at a time."""


class Steps(wiring.Component):
    """Takes a sample through its steps, or the rows through a batch's end.

    Parameters
    ----------
    places : Places

    Members
    -------
    sample : stream in, see `value.loaded`; taken when its last step is done
    response : stream out; a response's words
    settings : as last set
    batch_end, batch_done : start, and end, of a batch's end; while not `working`
    working : a sample, or a batch's end, is in work
    forget : a descriptor was written
    use : what is asked of the memories of entries and words
    entry, word : what was read there
    one of each of `EVENTS` : pulse to count

    Attributes
    ----------
    access : EntryAccess
        The decoder's, to weights and velocities; while not `working`.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self.access = EntryAccess(places)
        super().__init__(
            {
                "sample": In(stream.Signature(loaded(places.shapes))),
                "response": Out(stream.Signature(WORD)),
                "settings": In(SETTINGS),
                "batch_end": In(1),
                "batch_done": Out(1),
                "working": Out(1),
                "forget": In(1),
                "use": Out(Use(places)),
                "entry": In(ENTRY),
                "word": In(VALUE),
                **{name: Out(1) for name in EVENTS},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        places = self.places
        self._values, self._outputs = Values(places), Outputs(places)
        self._tangents, self._updates = Tangents(places), Updates(places)
        self._end = BatchEnd(places)
        steps = {
            "values": self._values,
            "outputs": self._outputs,
            "tangents": self._tangents,
            "updates": self._updates,
            "batch_end": self._end,
            "access": self.access,
        }
        for name, step in steps.items():
            m.submodules[name] = step
        self._share(m, list(steps.values()))
        self._control(m)
        self._count(m)
        return m

    def _share(self, m: Module, steps: list[wiring.Component]) -> None:
        """The shared parts: what they are asked, and what all steps see of them."""
        places = self.places
        m.submodules.walker = walker = ListWalker(places)
        m.submodules.descriptors = descriptors = Descriptors(places)
        m.submodules.multipliers = multipliers = Multipliers(places)
        m.submodules.narrower = narrower = Narrower(places)
        m.submodules.store = store = RowStore(places)
        self._walker = walker
        asked = Use(places).create(path=("asked",))
        merge(m, [step.use for step in steps] + [walker.use], asked)
        for part in (walker.asked, multipliers.use, narrower.use, store.use, self.use):
            for name in asked.signature.members:
                m.d.comb += Value.cast(getattr(part, name)).eq(Value.cast(getattr(asked, name)))
        m.d.comb += [
            descriptors.fetch.eq(asked.fetch),
            descriptors.index.eq(asked.index),
            descriptors.forget.eq(self.forget),
            descriptors.entry.eq(self.entry),
            walker.entry.eq(self.entry),
            self.use.entry_at.eq(asked.entry_at | descriptors.entry_at),
            multipliers.row.eq(store.read),
            narrower.sum.eq(multipliers.sum),
        ]
        for step in steps:
            seen = step.seen
            m.d.comb += [
                seen.fetched.eq(descriptors.fetched),
                seen.layer.eq(descriptors.layer),
                seen.entry.eq(self.entry),
                seen.word.eq(self.word),
                seen.row.eq(store.read),
                seen.walking.eq(walker.walking),
                seen.products.eq(multipliers.products),
                *(
                    getattr(seen, name).eq(getattr(narrower, name))
                    for name in ("total", "nonzero", "bits", "narrow", "clipped")
                ),
            ]

    def _control(self, m: Module) -> None:
        values, outputs, tangents = self._values, self._outputs, self._tangents
        sample = self.sample.payload
        m.d.comb += [
            values.count.eq(sample.count),
            values.masked.eq(sample.masked),
            outputs.train.eq(sample.token.train),
            outputs.settings.eq(self.settings),
            tangents.prune.eq(self.settings.prune),
            self._end.settings.eq(self.settings),
            self._end.start.eq(self.batch_end),
            self.batch_done.eq(self._end.done),
            outputs.start.eq(values.done),
            tangents.start.eq(outputs.done & sample.token.train),
            self._updates.start.eq(tangents.done),
            self.sample.ready.eq(self._updates.done | (outputs.done & ~sample.token.train)),
        ]
        wiring.connect(m, outputs.response, wiring.flipped(self.response))
        starts = self.sample.valid & ~self.working
        m.d.comb += values.start.eq(starts)
        with m.If(starts | self.batch_end):
            m.d.sync += self.working.eq(1)
        with m.If(self.sample.ready | self.batch_done):
            m.d.sync += self.working.eq(0)

    def _count(self, m: Module) -> None:
        tangents, walker = self._tangents, self._walker
        for name, event in {
            "value_rows": walker.row & ~tangents.crossing,
            "tangent_rows": walker.row & tangents.crossing,
            "scale_rows": tangents.scaled,
            "update_rows": self._updates.row,
            "kept": tangents.kept,
            "dropped": tangents.dropped,
            "saturated_values": self._values.saturated,
            "saturated_updates": self._outputs.saturated | tangents.saturated,
            "saturated_weights": self._end.saturated,
        }.items():
            m.d.comb += getattr(self, name).eq(event)

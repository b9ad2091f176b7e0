# SPDX-License-Identifier: BSD-2-Clause

"""The tangent lane of the model, made of the parts in `ring` and `seeds`."""

from collections import Counter, deque

from .parts import Clock
from .plan import DELTA_LATENCY, STORE_LATENCY, SUMS_LATENCY, Batch, Chunk, Plan
from .ring import NonzeroIssuer, Pruner, Scaler
from .seeds import Seeds


class TangentLane:
    """Carry every chunk of a sample to the outputs.

    A sample costs at least

    - for the sums, ``groups`` requests of the next layer for each seed, and
      ``kept entries * groups`` requests for each hidden layer crossed;
    - for the scaler, ``groups`` requests for each layer entered;
    - in `Seeds` and `Pruner`, the cycles that their docstrings state.

    The sums and the scaler share a MAC array, which takes one request a cycle.

    Parameters
    ----------
    plan : Plan
    batch : Batch
    clock : Clock

    Members
    -------
    steps : int
        Requests of the sums that were taken.
    scalings : int
        Requests of the scaler that were taken.
    """

    def __init__(self, plan: Plan, batch: Batch, clock: Clock) -> None:
        self._plan = plan
        self._batch = batch
        self._clock = clock
        self._seeds = Seeds(plan)
        self._issuer = NonzeroIssuer()
        self._scaler = Scaler(plan)
        self._pruner = Pruner(plan)
        self._slots: list[Chunk | None] = [None] * plan.depths.slots
        self._turn = 0
        self._locked = False
        self._to_seeds = False
        self._order: deque[int] = deque()
        # Chunks in slots, by sample and by the layer that seeded them.
        self._live: Counter[tuple[int, int]] = Counter()
        self._writes = -1
        self.steps = 0
        self.scalings = 0

    def sum_requests(self) -> bool:
        """Whether the sums request the MAC array."""
        return self._issuer.requests()

    def scale_requests(self) -> bool:
        """Whether the scaler requests the MAC array."""
        return self._scaler.requests()

    def takes(self) -> bool:
        """Whether a sample can enter."""
        return self._seeds.sample is None

    @property
    def oldest(self) -> int | None:
        """The oldest sample in the lane."""
        return self._order[0] if self._order else None

    def complete(self, layer: int) -> bool:
        """Whether all chunks of a hidden layer of the oldest sample are seeded and have ended."""
        oldest = self.oldest
        if oldest is None:
            return False
        seeding = self._seeds.sample == oldest and self._seeds.layer <= layer
        return not seeding and not self._live[oldest, layer]

    def take(self, sample: int) -> None:
        """Take sample number `sample` in this cycle."""
        self._order.append(sample)
        self._seeds.start(sample, self._batch.seeds(sample))

    def give(self) -> None:
        """Release the oldest sample in this cycle."""
        self._order.popleft()

    def tick(self, sum_granted: bool, scale_granted: bool, written: int) -> None:
        """Advance by a cycle.

        Parameters
        ----------
        sum_granted : bool
            Whether the MAC array takes the issuer's request, which adds a row to a sum.
        scale_granted : bool
            Whether the MAC array takes the scaler's request, which scales a word.
        written : int
            Layers whose slopes, or errors at the outputs, are written.
        """
        seeds, pruner, issuer = self._seeds, self._pruner, self._issuer
        free = self._slots[self._turn] is None
        active = seeds.sample is not None
        by_pruner = pruner.word()
        chosen = self._to_seeds if self._locked else by_pruner is None
        word = (seeds.word() if free else None) if chosen else by_pruner
        taken = word is not None and issuer.ready(sum_granted)
        if word is not None:
            self._locked = not (taken and word.end and word.final)
            self._to_seeds = chosen
        self.steps += sum_granted
        self.scalings += scale_granted
        ended = issuer.tick(sum_granted, word if taken else None)
        if ended is not None:
            self._clock.after(SUMS_LATENCY, lambda: self._summed(ended))
        pruner.tick(taken and not chosen)
        scaled = self._scaler.tick(scale_granted, written)
        if scaled is not None:
            self._scaled(scaled)
        seeded = seeds.tick(taken and chosen, self._writes != self._clock.now, written)
        if seeded is not None:
            self._slots[self._turn] = seeded
            seeded.slot = self._turn
            self._live[seeded.sample, seeded.origin] += 1
        if seeded is not None or (active and not free):
            self._turn = (self._turn + 1) % len(self._slots)

    def _summed(self, chunk: Chunk) -> None:
        if chunk.alive[chunk.crossed]:
            self._scaler.queue.append(chunk)
        else:
            self._end(chunk)

    def _scaled(self, chunk: Chunk) -> None:
        clock = self._clock
        if chunk.layer < self._plan.layers - 1:
            clock.after(STORE_LATENCY, lambda: self._stored(chunk))
            return
        latency = DELTA_LATENCY + self._plan.levels
        clock.after(latency, self._write)
        clock.after(latency + 1, lambda: self._end(chunk))

    def _stored(self, chunk: Chunk) -> None:
        words = chunk.words[chunk.crossed]
        chunk.layer += 1
        chunk.crossed += 1
        if any(words):
            self._pruner.queue.append(chunk)
        else:
            self._end(chunk)

    def _write(self) -> None:
        """Write an update scalar, so that `Seeds` cannot clear a word in this cycle."""
        self._writes = self._clock.now

    def _end(self, chunk: Chunk) -> None:
        self._slots[chunk.slot] = None
        self._live[chunk.sample, chunk.origin] -= 1

# SPDX-License-Identifier: BSD-2-Clause

"""The interpreted compact engine against the compiled RTL's counters, and the golden model."""

import numpy as np
import pytest
from hypothesis import given
from support.effort import examples
from support.random_networks import Case, cases, gentle_case
from support.small_engines import MAX_LAYERS, assert_same_run, engine, prepare, state

from dualgate.contract.activations import HIDDEN_ACTIVATIONS
from dualgate.contract.commands import Op, Status, command, header, parse_responses
from dualgate.contract.losses import LOSSES
from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF, Settings
from dualgate.devices import open_device
from dualgate_sim.compact import InterpretedDevice
from dualgate_sim.compact.machine import Machine
from dualgate_sim.rtl.compiled import CompiledEngine, build

pytestmark = pytest.mark.slow

ENGINE = engine("n4compact")

WIDTH = 20


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    build(ENGINE)


def assert_same_counts(case: Case) -> None:
    """Samples and batches' ends give the RTL's counters, cycles included, and its numbers."""
    model = InterpretedDevice(ENGINE)
    with open_device("sim", **vars(ENGINE)) as sim:
        for device in (model, sim):
            prepare(device, case)
        for x, target, chosen, masks in case.steps():
            for device in (model, sim):
                device.set(chosen)
            assert model.train(x, target, masks).tolist() == sim.train(x, target, masks).tolist()
            assert model.counters() == sim.counters()
            for device in (model, sim):
                device.apply()
            assert model.counters() == sim.counters()
            assert state(model) == state(sim)
            assert model.infer(x).tolist() == sim.infer(x).tolist()
            assert model.counters() == sim.counters()


@examples(25)
@given(case=cases(MAX_LAYERS, WIDTH, batches=2))
def test_random_batches_take_exactly_the_cycles_of_the_rtl(case: Case) -> None:
    """Among them those that clip everywhere, and whose update scalars are doubled again."""
    assert_same_counts(case)


@pytest.mark.parametrize("prune", [1, 3, PRUNE_OFF])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_batches_of_each_loss_take_exactly_the_cycles_of_the_rtl(
    name: str, dropout: float, prune: int
) -> None:
    hidden = HIDDEN_ACTIVATIONS[prune % 3 : prune % 3 + 2]
    network = Network((11, 9, 6, 5), hidden, name)
    assert_same_counts(gentle_case(network, 4, 2, prune, 7, dropout=dropout))


@pytest.mark.parametrize("hidden", HIDDEN_ACTIVATIONS)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("frozen", [(), (0,)])
def test_batches_of_each_activation_take_exactly_the_rtl_s_cycles(
    hidden: str, momentum: float, frozen: tuple[int, ...]
) -> None:
    """Momentum remembers rows that the second batch leaves alone."""
    network = Network((12, 8, 7, 3), hidden, frozen=frozen)
    assert_same_counts(gentle_case(network, 3, 2, 2, 8, momentum))


@pytest.mark.parametrize("samples", [1, 2, 40])
@pytest.mark.parametrize("sizes", [(1, 1), (40, 1), (3, 1, 1, 1, 2), (40, 33, 10)])
def test_batches_of_any_size_take_exactly_the_cycles_of_the_rtl(
    samples: int, sizes: tuple[int, ...]
) -> None:
    assert_same_counts(gentle_case(Network(sizes), samples, 1, 2, 9))


def test_a_velocity_that_rounds_to_its_bound_is_no_clip() -> None:
    """-35182224736249 * 16385 / 2**15 is just below -2**44, and -2**44 is in range."""
    network = Network((2, 4))
    velocity = [np.full((3, 4), -35182224736249)]
    seen = []
    with open_device("golden", **vars(ENGINE)) as golden, open_device("sim", **vars(ENGINE)) as sim:
        for device in (golden, sim, InterpretedDevice(ENGINE)):
            device.configure(network, 20)
            device.write_weights([np.zeros((3, 4), np.int64)])
            device.write_velocity(velocity)
            device.set(Settings(1 << 14, 20, 16385, PRUNE_OFF))
            device.apply()
            seen.append((device.counters().saturated_weights, device.read_velocity()[0].tolist()))
    assert seen == [(12, [[-(1 << 44)] * 4] * 3)] * 3


@examples(25)
@given(case=cases(MAX_LAYERS, WIDTH, batches=2))
def test_the_interpreted_program_agrees_with_the_golden_model(case: Case) -> None:
    model = InterpretedDevice(ENGINE)
    with open_device("golden", **vars(ENGINE)) as golden:
        for device in (golden, model):
            prepare(device, case)
        assert_same_run(golden, model, case)


def test_refused_commands_are_answered_as_by_the_rtl() -> None:
    """They are read to their end, so that the next one is found."""
    refused = (header(77, 2), 1, 2, *command(Op.LAYER, [0]), *command(Op.APPLY, [5]))
    words = [*refused, 0, *command(Op.COUNTERS), *command(Op.IDENTIFY)]
    answers = Machine(ENGINE).exchange([int(word) for word in words])
    compiled = CompiledEngine(ENGINE)
    assert answers == compiled.exchange(np.array(words, np.uint32), 5, len(answers)).tolist()
    compiled.close()
    statuses = [response.status for response in parse_responses(np.array(answers, np.uint32))]
    assert statuses == [Status.UNKNOWN, Status.LENGTH, Status.LENGTH, Status.OK, Status.OK]

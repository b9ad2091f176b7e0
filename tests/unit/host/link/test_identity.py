# SPDX-License-Identifier: BSD-2-Clause

"""The handshake: what does not fit together is refused, and both sides are named."""

import numpy as np
import pytest
from support.link_lines import EchoEngine, ModelPort
from support.paths import REFERENCE

from dualgate.contract.commands import PROTOCOL
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import HandshakeError
from dualgate.link import frame as frame_module
from dualgate.link import identity as identity_module
from dualgate.link.client import Client
from dualgate.link.identity import CONTRACT, FORMATS, IDENTITY_WORDS, MAGIC, Identity, accept
from dualgate_sim.testing.link_model import DeviceEnd

IDENTITY = Identity(EngineParameters(8, rows=77), bytes(range(32)))


def test_what_is_said_is_understood() -> None:
    words = IDENTITY.words()
    assert len(words) == IDENTITY_WORDS
    assert accept(words) == IDENTITY
    assert accept(words, "0001") == IDENTITY


def test_the_documentation_prints_the_contract() -> None:
    page = (REFERENCE / "protocol.md").read_text()
    assert f"| `contract` | 0x{CONTRACT:08X}, " in page


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (0, MAGIC + 1, "the device on this port is not a dualgate board; check the port"),
        (1, PROTOCOL + 1, rf"the device has command protocol {PROTOCOL + 1:#x}, this host "),
        (2, CONTRACT ^ 1, rf"has command contract {CONTRACT ^ 1:#x}, this host {CONTRACT:#x}"),
        (3, 99, rf"the device has value_width 99, this host {FORMATS['value_width']}; rebuild"),
    ],
)
def test_a_difference_is_refused_and_both_sides_named(
    position: int, value: int, message: str
) -> None:
    words = IDENTITY.words()
    words[position] = value
    with pytest.raises(HandshakeError, match=message):
        accept(words)


@pytest.mark.parametrize("length", [0, 2, IDENTITY_WORDS - 1, IDENTITY_WORDS + 1])
def test_a_description_of_another_length_is_refused(length: int) -> None:
    words = (IDENTITY.words() * 2)[:length]
    with pytest.raises(HandshakeError):
        accept(words)


def test_another_build_than_the_one_asked_for_is_refused() -> None:
    with pytest.raises(HandshakeError, match="built as 0001020304050607, this host wants abcd"):
        accept(IDENTITY.words(), "abcd")


def test_a_client_refuses_what_the_device_says(monkeypatch: pytest.MonkeyPatch) -> None:
    words = IDENTITY.words()
    words[1] += 1
    port = ModelPort(DeviceEnd(words, EchoEngine))
    with pytest.raises(HandshakeError, match="command protocol"):
        Client(port, clock=port.clock)


def test_another_link_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from dualgate.link import client

    port = ModelPort(DeviceEnd(IDENTITY.words(), EchoEngine))
    monkeypatch.setattr(client, "VERSION", frame_module.VERSION + 1)
    with pytest.raises(HandshakeError, match="has link version 1, this host 2; rebuild"):
        Client(port, clock=port.clock)


def test_the_contract_follows_its_tables() -> None:
    import zlib

    assert zlib.crc32(repr(identity_module._TABLES).encode()) == CONTRACT
    assert "TRAIN" in repr(identity_module._TABLES)


def test_words_fit_the_wire() -> None:
    assert np.array(IDENTITY.words(), np.uint32).tolist() == IDENTITY.words()

# SPDX-License-Identifier: BSD-2-Clause

"""Checkpoints: a round trip, and a plain word for every way one can be damaged."""

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.damage import damage
from support.effort import examples
from support.small_runs import NETWORK, RECIPE, blobs, golden

from dualgate.contract.errors import CheckpointError
from dualgate.contract.network import Network
from dualgate.train.checkpoint import Checkpoint, load_checkpoint
from dualgate.train.recipe import Recipe
from dualgate.train.trainer import Trainer


def trained(network: Network = NETWORK) -> Checkpoint:
    trainer = Trainer(network, RECIPE, blobs())
    with golden() as device:
        list(trainer.run(device))
        return trainer.checkpoint(device)


STATE = trained()


def same(a: Checkpoint, b: Checkpoint) -> bool:
    return (a.network, a.recipe, a.update_frac, a.epoch) == (
        b.network,
        b.recipe,
        b.update_frac,
        b.epoch,
    ) and all(
        (x == y).all() for x, y in zip(a.weights + a.velocity, b.weights + b.velocity, strict=True)
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    STATE.save(tmp_path / "checkpoint.npz")
    return tmp_path / "checkpoint.npz"


def test_a_checkpoint_is_read_back(path: Path) -> None:
    assert same(load_checkpoint(path), STATE)
    assert [child.name for child in path.parent.iterdir()] == ["checkpoint.npz"]
    with np.load(path, allow_pickle=False) as arrays:
        assert set(arrays.files) == {"about"} | {
            f"{k}{i}" for k in ("weight", "velocity") for i in range(3)
        }


def test_the_ending_decides_the_format(tmp_path: Path) -> None:
    tensors = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "checkpoint.safetensors"
    STATE.save(path)
    assert same(load_checkpoint(path), STATE)
    assert set(tensors.load_file(path)) == {
        f"{k}{i}" for k in ("weight", "velocity") for i in range(3)
    }
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match=r"not a whole \.safetensors of arrays; train again$"):
        load_checkpoint(path)


def test_an_activation_for_each_layer_is_kept(tmp_path: Path) -> None:
    state = trained(Network((6, 8, 5, 3), ("relu", "tanh")))
    state.save(tmp_path / "x.npz")
    assert load_checkpoint(tmp_path / "x.npz").network == state.network


def test_saving_twice_replaces_the_file(path: Path) -> None:
    trained(Network((6, 4, 3))).save(path)
    assert load_checkpoint(path).network.sizes == (6, 4, 3)


def rewrite(path: Path, drop: str = "", about: Any = None, **changed: Any) -> None:
    with np.load(path, allow_pickle=False) as arrays:
        content = {name: arrays[name] for name in arrays.files if name != drop}
    if about is not None:
        described = json.loads(str(content["about"]))
        content["about"] = np.array(json.dumps({**described, **about}))
    np.savez(path, allow_pickle=False, **{**content, **changed})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drop": "weight1"}, "weight1 is missing"),
        ({"drop": "about"}, "about is missing"),
        ({"about": {"version": 1}}, "version 1, not 3"),
        ({"about": {"network": {"sizes": [6, 3]}}}, "other fields than those of version 3"),
        ({"about": {"network": asdict(Network((6, 3)))}}, "weights have shapes"),
        ({"about": {"network": {"sizes": [0]}}}, "layers 0"),
        ({"about": {"network": 3}}, "its description is damaged"),
        ({"about": {"network": {"size": 3}}}, "its description is damaged"),
        ({"about": {"recipe": {"epochs": 0, "batch": 1, "lr": 1.0}}}, "0 epochs"),
        ({"about": {"epoch": "many"}}, "its description is damaged"),
        ({"weight0": np.zeros((2, 2), np.int64)}, "weights have shapes"),
        ({"weight0": np.zeros((7, 8))}, "not integers of 32 bits"),
        ({"weight0": np.full((7, 8), 1 << 31)}, "not integers of 32 bits"),
        ({"velocity0": np.full((7, 8), 1 << 62)}, "not integers of 45 bits"),
        ({"weight0": np.full((7, 8), "x")}, "not integers of 32 bits"),
        ({"about": {"records": [{}]}}, "its description is damaged"),
        ({"about": {"tally": {"loss": 1}}}, "other fields than those of version 3"),
        ({"about": {"note": "mine"}}, "other fields than those of version 3"),
        (
            {"about": {"best": [1, 0.5], "recipe": {**asdict(RECIPE), "patience": 3}}},
            "best0 is missing",
        ),
    ],
)
def test_content_that_does_not_fit_is_named(
    path: Path, change: dict[str, Any], message: str
) -> None:
    rewrite(path, **change)
    with pytest.raises(CheckpointError, match=rf"^checkpoint .* cannot be used: .*{message}") as e:
        load_checkpoint(path)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"no archive", b"\x80\4."])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"not a whole \.npz of arrays; train again$"):
        load_checkpoint(tmp_path / "x.npz")


def test_a_missing_file_or_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="No such file or directory"):
        load_checkpoint(tmp_path / "x.npz")
    with pytest.raises(CheckpointError, match="Is a directory"):
        load_checkpoint(tmp_path)


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.savez(content, about=np.array([{}], dtype=object))
    (tmp_path / "x.npz").write_bytes(content.getvalue())
    with pytest.raises(CheckpointError, match="not a whole"):
        load_checkpoint(tmp_path / "x.npz")


@examples(200)
@given(st.data())
def test_a_cut_or_a_changed_byte_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damage") / "x.npz"
    STATE.save(path)
    damage(path, data)
    try:
        loaded = load_checkpoint(path)
    except CheckpointError:
        return
    assert same(loaded, STATE)


def test_the_state_of_an_optimiser_is_kept_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    trainer = Trainer(NETWORK, Recipe(1, 16, 0.01, optimiser="adam"), blobs())
    with golden() as device:
        list(trainer.run(device))
        state = trainer.checkpoint(device)
    state.save(path)
    loaded = load_checkpoint(path)
    assert loaded.state.batches == 4
    for ours, theirs in zip(loaded.state.slots, state.state.slots, strict=True):
        assert len(ours) == 2
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    for change, message in (
        ({"drop": "slot1.1"}, r"slot1\.1 is missing"),
        ({"slot0.0": np.zeros((2, 2))}, "the arrays of its optimiser do not fit its network"),
        ({"slot0.0": np.zeros((7, 8), np.int64)}, "arrays of its optimiser do not fit its network"),
    ):
        state.save(path)
        rewrite(path, **change)  # type: ignore[arg-type]
        with pytest.raises(CheckpointError, match=message):
            load_checkpoint(path)

# SPDX-License-Identifier: BSD-2-Clause

"""Sets of images in IDX files: how files are found, labels of any range, damaged files."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from support.idx_files import idx_bytes, write_images

from dualgate.contract.errors import InputError
from dualgate.data.images import find_files, load_images, pixels


def write_set(folder: Path, names: tuple[str, str], low: int = 0, high: int = 9) -> None:
    """Write images of 2x2 pixels and labels `low` to `high` as files to train on and to test."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = np.arange(low, high + 1, dtype=np.uint8)
    images = np.full((len(labels), 2, 2), 200, np.uint8)
    for part in ("train", "test"):
        (folder / names[0].format(part)).write_bytes(idx_bytes(images))
        (folder / names[1].format(part)).write_bytes(gzip.compress(idx_bytes(labels)))


EMNIST = "emnist-letters-{}-images-idx3-ubyte", "emnist-letters-{}-labels-idx1-ubyte"
DIGITS = "emnist-digits-{}-images-idx3-ubyte", "emnist-digits-{}-labels-idx1-ubyte"


@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("compressed", [False, True])
def test_both_spellings_are_found(tmp_path: Path, dotted: bool, compressed: bool) -> None:
    data = load_images(write_images(tmp_path, dotted, compressed), "MNIST", "a package")
    assert data.train.x.shape == (50, 784)
    assert data.held_out.x.shape == (20, 784)
    assert data.train.x.max() == 1.0
    assert data.held_out.labels is not None
    assert data.held_out.labels.tolist() == [i % 10 for i in range(20)]


def test_a_missing_directory_says_where_files_can_be_had(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^MNIST: no directory given; give --data .* a package$"):
        load_images(None, "MNIST", "a package")
    with pytest.raises(InputError, match=r"^MNIST: no directory .*nowhere; give --data"):
        load_images(tmp_path / "nowhere", "MNIST", "a package")
    with pytest.raises(InputError, match=r"^there is no train-images-idx3-ubyte\[.gz\] in"):
        load_images(tmp_path, "MNIST", "a package", 10)


def damage(path: Path, content: bytes) -> None:
    assert path.exists()
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train-images-idx3-ubyte", b"", "is not an IDX file"),
        ("train-images-idx3-ubyte", b"\0\0\x0d\1\0\0\0\0", r"has shape \(0,\), so no numbers"),
        ("train-images-idx3-ubyte", b"\0\0\x08\3\0\0", "ends in its header"),
        ("train-images-idx3-ubyte", idx_bytes(np.ones(50, np.uint8)), "so no images"),
        ("t10k-images-idx3-ubyte", idx_bytes(np.zeros((20, 28, 28), np.uint8))[:-1], "15679 bytes"),
        ("t10k-images-idx3-ubyte", idx_bytes(np.zeros((20, 8, 8), np.uint8)), "of 64 pixels"),
        ("t10k-images-idx3-ubyte", idx_bytes(np.zeros((0, 28, 28), np.uint8)), "has shape"),
        ("t10k-labels-idx1-ubyte", idx_bytes(np.zeros(19, np.uint8)), "has 19 labels for 20"),
        ("t10k-labels-idx1-ubyte", idx_bytes(np.zeros((20, 1), np.uint8)), "has 20 labels for 20"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    write_images(tmp_path)
    damage(tmp_path / name, content)
    with pytest.raises(InputError, match=f"{name}.*{message}"):
        load_images(tmp_path, "MNIST", "a package", 10)


@pytest.mark.parametrize("cut", [5, 30, 1000])
def test_a_truncated_archive_is_named(tmp_path: Path, cut: int) -> None:
    write_images(tmp_path, compressed=True)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    damage(path, path.read_bytes()[:cut])
    with pytest.raises(InputError, match=r"compressed data is damaged; get the file again$"):
        load_images(tmp_path, "MNIST", "a package", 10)


def test_labels_from_one_get_a_class_each(tmp_path: Path) -> None:
    write_set(tmp_path, EMNIST, 1, 26)
    data = load_images(tmp_path, "EMNIST", "a package")
    assert data.answers is not None
    assert data.answers.classes == tuple(map(str, range(1, 27)))
    assert data.train.labels is not None
    assert data.train.labels.tolist() == list(range(26))
    assert (data.train.x == 200 / 255).all()


def test_several_sets_are_refused_and_a_beginning_chooses(tmp_path: Path) -> None:
    write_set(tmp_path, EMNIST, 1, 26)
    write_set(tmp_path, DIGITS)
    with pytest.raises(InputError, match=r"holds several sets, emnist-digits-.* the beginning"):
        load_images(tmp_path, "EMNIST", "a package")
    data = load_images(tmp_path / "emnist-letters", "EMNIST", "a package")
    assert data.train.target.shape == (26, 26)


def test_sets_of_the_same_names_in_two_folders_are_refused(tmp_path: Path) -> None:
    write_images(tmp_path / "mnist")
    write_images(tmp_path / "fashion")
    with pytest.raises(InputError, match=r"several sets, in .*fashion and .*mnist; give the dir"):
        load_images(tmp_path, "MNIST", "a package")


def test_gzip_content_without_its_ending_is_read(tmp_path: Path) -> None:
    write_images(tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert load_images(tmp_path, "MNIST", "a package", 10).train.x.shape == (50, 784)


@pytest.mark.parametrize("beside", [False, True])
def test_files_in_folders_of_their_own_names_are_found(tmp_path: Path, beside: bool) -> None:
    write_images(tmp_path / "flat")
    for path in list((tmp_path / "flat").iterdir()):
        inside = tmp_path / "unpacked" / path.name / path.name
        inside.parent.mkdir(parents=True)
        inside.write_bytes(path.read_bytes())
        if beside:
            packed = tmp_path / "unpacked" / f"{path.name}.gz"
            packed.write_bytes(gzip.compress(path.read_bytes()))
    assert len(find_files(tmp_path / "unpacked")) == 4


def test_other_files_of_a_directory_do_not_matter(tmp_path: Path) -> None:
    write_images(tmp_path)
    (tmp_path / "README").write_text("train images of digits")
    (tmp_path / "train-images.png").write_bytes(b"\x89PNG")
    assert len(find_files(tmp_path)) == 4


def test_a_directory_of_too_many_files_is_refused(tmp_path: Path) -> None:
    for index in range(1001):
        (tmp_path / str(index)).touch()
    with pytest.raises(InputError, match=r"holds more than 1000 files; give one with IDX alone$"):
        find_files(tmp_path)


def test_brackets_and_stars_in_a_beginning_are_letters(tmp_path: Path) -> None:
    write_set(tmp_path, ("[a]*{}-images", "[a]*{}-labels"))
    write_set(tmp_path, ("a{}-images", "a{}-labels"))
    assert {path.name[:3] for path in find_files(tmp_path / "[a]*").values()} == {"[a]"}


@pytest.mark.parametrize(
    ("array", "scale"),
    [
        (np.array([[0, 7]], np.uint8), 255.0),
        (np.array([[0, 1]], np.uint8), 1.0),
        (np.array([[-128, 5]], np.int8), 128.0),
        (np.array([[0.5, -4.0]]), 4.0),
        (np.array([[0.0, np.nan]]), 1.0),
    ],
)
def test_pixels_are_scaled_to_at_most_one(array: np.ndarray, scale: float) -> None:
    preparation = pixels(array)
    assert {number.scale for number in preparation.numbers} == {scale}
    assert np.abs(preparation.apply(array)[0]).max() <= 1.0


def test_a_label_beyond_the_known_classes_adds_classes(tmp_path: Path) -> None:
    write_set(tmp_path, EMNIST, 0, 10)
    assert load_images(tmp_path, "MNIST", "a package", 10).train.target.shape == (11, 11)


def test_labels_of_one_class_are_refused(tmp_path: Path) -> None:
    write_set(tmp_path, EMNIST, 3, 3)
    with pytest.raises(
        InputError, match=r"^all labels are 3; give samples of at least two classes"
    ):
        load_images(tmp_path, "EMNIST", "a package")

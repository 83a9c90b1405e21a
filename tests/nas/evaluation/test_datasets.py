"""Real data is read and split as said; damaged files are one sentence that names them."""

import gzip
import hashlib
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from nas.datasets.known import CIFAR_FILES, DATASETS, IDX_FILES
from nas.datasets.places import DEBIAN_FASHION
from nas.evaluation import datasets
from nas.evaluation.datasets import Data, load
from nas.evaluation.protocol import Split
from nas.evaluation.vision import torchvision
from nas.sentences import Refused


def idx(array: np.ndarray) -> bytes:
    """A file of the IDX format."""
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


def write_fashion(folder: Path, count: int = 100) -> Path:
    """Put a small Fashion-MNIST, half of it gzipped, where torchvision would."""
    place = folder / "FashionMNIST" / "raw"
    place.mkdir(parents=True)
    random = np.random.default_rng(0)
    for images, labels in (IDX_FILES[:2], IDX_FILES[2:]):
        (place / images).write_bytes(idx(random.integers(0, 256, (count, 28, 28))))
        (place / f"{labels}.gz").write_bytes(gzip.compress(idx(np.arange(count) % 10)))
    return place


def test_digits_are_split_as_the_catalogue_says() -> None:
    data = load(Split("digits"))
    assert (len(data.train), len(data.valid), len(data.test)) == (1077, 360, 360)
    assert len(data.train) + len(data.valid) == DATASETS["digits"].train
    assert tuple(data.train.inputs.shape[1:]) == DATASETS["digits"].task.input_shape


def test_parts_share_no_image_and_hold_each_class_alike() -> None:
    data = load(Split("digits"))
    rows = torch.cat([part.inputs.flatten(1) for part in (data.train, data.valid, data.test)])
    assert len(rows) == 1797
    assert len(rows.unique(dim=0)) == 1797
    for part in (data.train, data.valid, data.test):
        counts = torch.bincount(part.labels)
        assert counts.max() - counts.min() <= 0.1 * len(part)


def test_mean_and_std_are_of_the_training_part() -> None:
    data = load(Split("digits"))
    pixels = data.train.inputs.double() / data.peak
    assert data.mean[0] == pytest.approx(float(pixels.mean()), abs=1e-4)
    assert data.std[0] == pytest.approx(float(pixels.std(correction=0)), abs=1e-4)


def test_the_fingerprint_knows_the_split() -> None:
    prints = {load(split).fingerprint for split in (Split("digits"), Split("digits", 1), Split("digits", 0, 0.2))}
    assert len(prints) == 3
    assert load(Split("digits")).fingerprint == datasets._load(Split("digits"), ()).fingerprint


def test_fashion_mnist_is_read_from_torchvisions_folders_gzipped_or_not(tmp_path: Path) -> None:
    write_fashion(tmp_path)
    data = load(Split("fashion_mnist"), (tmp_path,))
    assert (len(data.train), len(data.valid), len(data.test)) == (75, 25, 100)
    assert data.mirrors


def test_the_fingerprint_knows_the_content(tmp_path: Path) -> None:
    place = write_fashion(tmp_path)
    before = datasets._load(Split("fashion_mnist"), (tmp_path,)).fingerprint
    content = bytearray((place / IDX_FILES[0]).read_bytes())
    content[-1] ^= 1
    (place / IDX_FILES[0]).write_bytes(content)
    assert datasets._load(Split("fashion_mnist"), (tmp_path,)).fingerprint != before


DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "truncated": (IDX_FILES[0], lambda content: content[:-5], "is corrupt"),
    "empty": (IDX_FILES[0], lambda content: b"", "is not an IDX file"),
    "another format": (IDX_FILES[0], lambda content: b"PK\3\4" + content[4:], "is not an IDX file"),
    "other images": (IDX_FILES[0], lambda content: idx(np.zeros((100, 8, 98))), "8 x 98, not 28 x 28"),
    "labels missing": (IDX_FILES[1], lambda content: idx(np.zeros(99)), "99 labels"),
    "unknown labels": (IDX_FILES[1], lambda content: idx(np.full(100, 10)), "between 0 and 9"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_in_one_sentence(tmp_path: Path, damage: str) -> None:
    name, spoil, sentence = DAMAGES[damage]
    place = write_fashion(tmp_path)
    plain, packed = place / name, place / f"{name}.gz"
    content = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    plain.write_bytes(spoil(content))
    with pytest.raises(Refused, match=sentence) as refused:
        load(Split("fashion_mnist"), (tmp_path,))
    assert str(place) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("spoil", [lambda packed: packed[:-9], lambda packed: packed[:20] + b"\0" + packed[21:]])
def test_a_damaged_gzip_is_named_in_one_sentence(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    place = write_fashion(tmp_path)
    path = place / f"{IDX_FILES[1]}.gz"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(Refused, match=str(path)):
        load(Split("fashion_mnist"), (tmp_path,))


def test_too_few_images_to_split_are_refused(tmp_path: Path) -> None:
    write_fashion(tmp_path, count=10)
    with pytest.raises(Refused, match=r"Fashion-MNIST cannot be split: .*[^.]\.$"):
        load(Split("fashion_mnist"), (tmp_path,))


@pytest.mark.skipif(not DEBIAN_FASHION.is_dir(), reason="no Fashion-MNIST; apt-get install dataset-fashion-mnist")
@pytest.mark.slow
def test_the_debian_package_is_found_and_read() -> None:
    data = load(Split("fashion_mnist"))
    assert (len(data.train), len(data.valid), len(data.test)) == (45000, 15000, 10000)
    assert torch.bincount(data.valid.labels).tolist() == [1500] * 10


def write_cifar(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a small CIFAR-10 there, and its sums where torchvision keeps those of the real one."""
    place = folder / "cifar-10-batches-py"
    place.mkdir()
    sums: dict[str, str] = {}
    random = np.random.default_rng(0)
    for name in CIFAR_FILES:
        content = {"data": random.integers(0, 256, (40, 3072), dtype=np.uint8), "labels": [i % 10 for i in range(40)]}
        if name == "batches.meta":
            content = {"label_names": list(DATASETS["cifar10"].classes)}
        (place / name).write_bytes(pickle.dumps(content))
        sums[name] = hashlib.md5((place / name).read_bytes()).hexdigest()
    reader = torchvision("torchvision.datasets").CIFAR10
    monkeypatch.setattr(reader, "train_list", [[name, sums[name]] for name in CIFAR_FILES[:5]])
    monkeypatch.setattr(reader, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(reader, "meta", {**reader.meta, "md5": sums["batches.meta"]})
    return place


def test_cifar_is_read_through_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar(tmp_path, monkeypatch)
    data: Data = datasets._load(Split("cifar10"), (tmp_path,))
    assert (len(data.train), len(data.valid), len(data.test)) == (150, 50, 40)
    assert tuple(data.test.inputs.shape) == (40, 3, 32, 32)
    assert len(data.mean) == 3


def test_a_damaged_cifar_is_refused_before_it_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = write_cifar(tmp_path, monkeypatch)
    (place / "data_batch_3").write_bytes(b"not what was published")
    with pytest.raises(Refused, match=r"CIFAR-10 in .* is corrupt or not complete"):
        datasets._load(Split("cifar10"), (tmp_path,))


def test_mnist_is_read_from_its_own_folder_beside_fashion_mnist(tmp_path: Path) -> None:
    write_fashion(tmp_path)
    with pytest.raises(Refused, match="MNIST was not found"):
        datasets._load(Split("mnist"), (tmp_path,))
    (tmp_path / "FashionMNIST").rename(tmp_path / "MNIST")
    data = datasets._load(Split("mnist"), (tmp_path,))
    assert (len(data.train), len(data.valid), len(data.test)) == (75, 25, 100)
    assert not data.mirrors, "a mirrored 2 is no 2"


def test_cifar_100_is_read_through_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "cifar-100-python"
    place.mkdir()
    random = np.random.default_rng(0)
    content = {
        "data": random.integers(0, 256, (800, 3072), dtype=np.uint8),
        "fine_labels": [i % 100 for i in range(800)],
    }
    for name in ("train", "test"):
        (place / name).write_bytes(pickle.dumps(content))
    (place / "meta").write_bytes(pickle.dumps({"fine_label_names": list(DATASETS["cifar100"].classes)}))
    sums = {file.name: hashlib.md5(file.read_bytes()).hexdigest() for file in place.iterdir()}
    reader = torchvision("torchvision.datasets").CIFAR100
    monkeypatch.setattr(reader, "train_list", [["train", sums["train"]]])
    monkeypatch.setattr(reader, "test_list", [["test", sums["test"]]])
    monkeypatch.setattr(reader, "meta", {**reader.meta, "md5": sums["meta"]})
    data: Data = datasets._load(Split("cifar100"), (tmp_path,))
    assert (len(data.train), len(data.valid), len(data.test)) == (600, 200, 800)
    assert data.known.task.classes == len(set(data.known.classes)) == 100
    assert data.test.labels[:3].tolist() == [0, 1, 2]
    pixels = content["data"][0].reshape(3, 32, 32)
    assert (data.test.inputs[0].numpy() == pixels).all()


def test_svhn_is_read_from_its_matlab_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    labels = np.arange(100) % 10 + 1  # its files write a zero as ten
    reader = torchvision("torchvision.datasets").SVHN
    lists = dict(reader.split_list)
    for split in ("train", "test"):
        file = tmp_path / f"{split}_32x32.mat"
        images = random.integers(0, 256, (32, 32, 3, 100), dtype=np.uint8)
        savemat(file, {"X": images, "y": labels[:, None].astype(np.uint8)})
        lists[split] = [lists[split][0], file.name, hashlib.md5(file.read_bytes()).hexdigest()]
    monkeypatch.setattr(reader, "split_list", lists)
    data: Data = datasets._load(Split("svhn"), (tmp_path,))
    assert (len(data.train), len(data.valid), len(data.test)) == (75, 25, 100)
    assert data.test.labels[8:11].tolist() == [9, 0, 1]
    assert (data.test.inputs[0].numpy() == images[:, :, :, 0].transpose(2, 0, 1)).all()
    (tmp_path / "test_32x32.mat").write_bytes(b"not what was published")
    with pytest.raises(Refused, match=r"SVHN in .* is corrupt or not complete"):
        datasets._load(Split("svhn"), (tmp_path,))

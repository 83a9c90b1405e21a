"""Adding works on honest files; what is refused is one sentence, and nothing is left behind."""

import errno
import gzip
import io
import json
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nas import codec
from nas.datasets import archive, images, lines, pictures, storing
from nas.datasets.added import Added, added, arrays, described, find, vocabulary
from nas.datasets.adding import add, remove
from nas.datasets.features import features
from nas.datasets.report import Progress, Report
from nas.datasets.words import ids, words
from nas.evaluation.datasets import load
from nas.evaluation.protocol import Job, Split, Training
from nas.evaluation.trained import Trained
from nas.events import Measured
from nas.sentences import Refused
from nas.spaces.catalogue import SpaceSpec


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Where datasets are added; whatever a test does, no half of one may stay there."""
    place = tmp_path / "datasets"
    yield place
    if place.exists():
        assert not [path for path in place.iterdir() if path.name.startswith(".")]


def report_of(source: Path, home: Path, kind: str, **options: Any) -> Report:
    """Add a file under the name "mine" and return the report."""
    *progress, report = add(source, name="mine", title="Mine", kind=kind, home=home, **options)
    assert progress
    assert all(isinstance(item, Progress) for item in progress)
    assert isinstance(report, Report)
    assert codec.load(Report, codec.dump(report)) == report
    return report


def mine(home: Path) -> Added:
    """The dataset that was added."""
    found = find("mine", home)
    assert found is not None
    return found


def png(value: int = 0, size: tuple[int, int] = (8, 8), mode: str = "RGB", kind: str = "PNG") -> bytes:
    """An image unlike any other of another value."""
    random = np.random.default_rng(value)
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    pixels = random.integers(0, 256, (size[1], size[0], *channels)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    """A zip of files."""
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def two_classes(count: int = 10, prefix: str = "", first: int = 0) -> dict[str, bytes]:
    """Files of two class folders."""
    names = (f"{prefix}{label}/{index}.png" for label in ("cat", "dog") for index in range(count))
    return {name: png(first + number) for number, name in enumerate(names)}


# Images


def test_class_folders_become_a_dataset(tmp_path: Path, home: Path) -> None:
    report = report_of(zipped(tmp_path / "a.zip", two_classes()), home, "images")
    assert report.counts == {"train": {"cat": 8, "dog": 8}, "test": {"cat": 2, "dog": 2}}
    assert report.classes == ("cat", "dog")
    assert (report.skipped, report.duplicates, report.problems, report.warnings) == (0, 0, (), ())
    one = mine(home)
    assert (one.task.input_shape, one.task.classes, one.train, one.test) == ((3, 8, 8), 2, 16, 4)
    inputs, labels = arrays(described(one, home), "train")
    stored = {np.asarray(row).tobytes(): int(label) for row, label in zip(inputs, labels, strict=True)}
    for name, content in two_classes().items():
        pixels = np.asarray(Image.open(io.BytesIO(content))).transpose(2, 0, 1).tobytes()
        assert stored.get(pixels, name.startswith("dog")) == name.startswith("dog")
    assert report.size == sum(path.stat().st_size for path in (home / "mine").glob("*.npy"))
    assert added(home) == (one,)


def test_parts_that_the_zip_names_are_kept(tmp_path: Path, home: Path) -> None:
    files = two_classes(6, "data/train/") | two_classes(3, "data/test/", 100) | two_classes(2, "data/val/", 200)
    report = report_of(zipped(tmp_path / "a.zip", files), home, "images")
    assert report.counts == {"train": {"cat": 8, "dog": 8}, "test": {"cat": 3, "dog": 3}}
    assert "validation images were added" in str(report.warnings[0])


def test_validation_is_the_test_part_where_there_is_no_other(tmp_path: Path, home: Path) -> None:
    files = two_classes(6, "train/") | two_classes(3, "val/", 100)
    report = report_of(zipped(tmp_path / "a.zip", files), home, "images")
    assert report.counts["test"] == {"cat": 3, "dog": 3}


def test_a_second_zip_is_the_test_part_of_images(tmp_path: Path, home: Path) -> None:
    first = two_classes(6, "photos/") | {"photos/dog/again.png": png(101)}
    second = two_classes(3, "test/", 100) | {"test/cat/broken.png": b"no image"}
    report = report_of(zipped(tmp_path / "a.zip", first), home, "images", test=zipped(tmp_path / "b.zip", second))
    assert report.counts == {"train": {"cat": 6, "dog": 6}, "test": {"cat": 3, "dog": 3}}
    assert (report.duplicates, report.skipped) == (1, 1)
    assert report.problems[0].where == "test/cat/broken.png"
    tested, _ = arrays(described(mine(home), home), "test")
    pixels = {np.asarray(Image.open(io.BytesIO(png(100 + number)))).transpose(2, 0, 1).tobytes() for number in range(6)}
    assert {np.asarray(image).tobytes() for image in tested} == pixels


def test_with_a_second_zip_validation_images_are_for_training(tmp_path: Path, home: Path) -> None:
    first = two_classes(6, "train/") | two_classes(2, "val/", 200)
    second = zipped(tmp_path / "b.zip", two_classes(3, "", 100))
    report = report_of(zipped(tmp_path / "a.zip", first), home, "images", test=second)
    assert report.counts == {"train": {"cat": 8, "dog": 8}, "test": {"cat": 3, "dog": 3}}


def test_two_test_parts_are_refused(tmp_path: Path, home: Path) -> None:
    first = two_classes(6, "train/") | two_classes(3, "test/", 200)
    second = zipped(tmp_path / "b.zip", two_classes(3, "", 100))
    with pytest.raises(Refused, match=r"a\.zip has a folder of test images, and there is a second file of them"):
        report_of(zipped(tmp_path / "a.zip", first), home, "images", test=second)
    assert not [*home.iterdir()]


def test_bad_files_are_listed_and_left_out(tmp_path: Path, home: Path) -> None:
    broken = bytearray(png(99, (32, 32)))
    broken[200:240] = bytes(40)
    files = two_classes() | {
        "cat/broken.png": bytes(broken),
        "cat/text.png": b"this is no image",
        "cat/notes.txt": b"notes",
        "lost.png": png(98),
        "__MACOSX/cat/._0.png": b"litter",
    }
    report = report_of(zipped(tmp_path / "a.zip", files), home, "images")
    assert report.skipped == 4
    told = {problem.where: str(problem.sentence) for problem in report.problems}
    assert told["cat/text.png"] == "It is of no kind of image that can be read."
    assert told["cat/broken.png"].startswith("It is damaged: ")
    assert {problem.where for problem in report.problems} == files.keys() - two_classes().keys() - {
        "__MACOSX/cat/._0.png"
    }
    assert sum(report.counts["train"].values()) + sum(report.counts["test"].values()) == 20


def test_images_in_both_parts_are_taken_out_of_training(tmp_path: Path, home: Path) -> None:
    files = two_classes(6, "train/") | two_classes(3, "test/", 100)
    files["train/cat/again.png"] = files["test/cat/1.png"]
    report = report_of(zipped(tmp_path / "a.zip", files), home, "images")
    assert report.duplicates == 1
    assert report.counts["train"] == {"cat": 6, "dog": 6}


def test_sizes_and_colours_become_one_with_a_warning(tmp_path: Path, home: Path) -> None:
    files = two_classes() | {"cat/wide.png": png(90, (20, 10)), "dog/grey.png": png(91, (8, 8), "L")}
    files["dog/see through.png"] = png(92, (8, 8), "RGBA")
    report = report_of(zipped(tmp_path / "a.zip", files), home, "images")
    assert mine(home).task.input_shape == (3, 8, 8)
    assert [str(one) for one in report.warnings] == [
        "1 of 23 images were resized to 8 x 8.",
        "1 grey images were stored as colour images.",
    ]


@pytest.mark.parametrize(("size", "side", "shape"), [((128, 96), 0, (48, 64)), ((128, 96), 80, (80, 80))])
def test_large_images_are_shrunk_unless_asked(
    size: tuple[int, int], side: int, shape: tuple[int, int], tmp_path: Path, home: Path
) -> None:
    files = {f"{label}/{i}.png": png(i + 50 * (label == "b"), size, "L") for label in "ab" for i in range(6)}
    report_of(zipped(tmp_path / "a.zip", files), home, "images", side=side)
    assert mine(home).task.input_shape == (1, *shape)


def huge_png(width: int, height: int) -> bytes:
    """A PNG that declares a size, without the pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def bomb(path: Path) -> Path:
    """A zip of 100 MB of zeros."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("cat/0.png", bytes(50 * 2**20))
    return path


def lying(path: Path) -> Path:
    """A zip whose file unpacks to more than it declares."""
    zipped(path, two_classes())
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    size = struct.unpack_from("<I", content, at + 24)[0]
    struct.pack_into("<I", content, at + 24, size - 10)
    path.write_bytes(content)
    return path


def linked(path: Path) -> Path:
    """A zip with a symbolic link."""
    zipped(path, two_classes())
    with zipfile.ZipFile(path, "a") as packed:
        link = zipfile.ZipInfo("cat/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, "/etc/passwd")
    return path


def encrypted(path: Path) -> Path:
    """A zip that says its first file is encrypted."""
    zipped(path, two_classes())
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    return path


def doubled(path: Path) -> Path:
    """A zip with two files of one name."""
    zipped(path, two_classes())
    with zipfile.ZipFile(path, "a") as packed, pytest.warns(UserWarning, match="Duplicate name"):
        packed.writestr("cat/0.png", png(5))
    return path


def files(extra: dict[str, bytes]) -> Callable[[Path], Path]:
    """Make a zip of two classes with more files."""
    return lambda path: zipped(path, two_classes() | extra)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (bomb, "times its size, as a zip bomb does"),
        (linked, "cat/link.png in the zip is a link"),
        (encrypted, "The zip is encrypted (cat/0.png is)"),
        (doubled, "There are two files cat/0.png in the zip"),
        (files({"../../evil.png": png()}), "../../evil.png in the zip would lie outside of its folder"),
        (files({"cat/..\\..\\evil.png": png()}), "would lie outside of its folder"),
        (files({"/etc/evil.png": png()}), "/etc/evil.png in the zip has an absolute path"),
        (files({"C:\\evil.png": png()}), "has an absolute path"),
        (files({"cat/wide.png": huge_png(20_000, 100)}), "cat/wide.png has 20000 x 100 pixels"),
        (files({"cat/huge.png": huge_png(20_000, 20_000)}), "cat/huge.png declares more pixels than an image may have"),
        (lambda path: zipped(path, {}), "Mine has 0 rows that can be read; it needs 10"),
        (lambda path: zipped(path, {f"cat/{i}.png": png(i) for i in range(20)}), "Mine has one class only, cat"),
        (files({"cow/0.png": png(77)}), "The class cow has a single row"),
        (
            lambda path: zipped(path, two_classes(6, "train/") | {f"test/cat/{i}.png": png(90 + i) for i in range(3)}),
            "The test part has one class only, cat",
        ),
        (
            lambda path: zipped(path, {f"train/cat/{i}.png": png(i) for i in range(9)} | two_classes(3, "test/", 50)),
            "The training part has one class only, cat",
        ),
    ],
)
def test_what_is_no_honest_zip_is_refused(make: Callable[[Path], Path], said: str, tmp_path: Path, home: Path) -> None:
    with pytest.raises(Refused) as refused:
        report_of(make(tmp_path / "a.zip"), home, "images")
    assert said in str(refused.value)
    assert not [*home.iterdir()]


def test_a_file_that_unpacks_to_more_than_it_declares_is_never_whole(tmp_path: Path, home: Path) -> None:
    report = report_of(lying(tmp_path / "a.zip"), home, "images")
    assert [problem.where for problem in report.problems] == ["cat/0.png"]


def test_what_is_no_zip_is_refused(tmp_path: Path, home: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"this is no zip")
    with pytest.raises(Refused, match=r"a\.zip is no zip that can be read"):
        report_of(tmp_path / "a.zip", home, "images")
    assert not [*home.iterdir()]


@pytest.mark.parametrize(
    ("module", "bound", "value", "said"),
    [
        (archive, "MOST_BYTES", 1000, "The zip unpacks to"),
        (archive, "MOST_FILE_BYTES", 100, "an image may have"),
        (archive, "MOST_FILES", 5, "The zip holds 20 files; at most 5 are taken"),
        (images, "MOST_STORED", 1000, "20 images of 8 x 8 take 0.0 GB; there is room for 0.0 GB. A side of"),
    ],
)
def test_sizes_are_bounded(
    module: Any, bound: str, value: int, said: str, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, bound, value)
    with pytest.raises(Refused, match=said):
        report_of(zipped(tmp_path / "a.zip", two_classes()), home, "images")
    assert not [*home.iterdir()]


def test_a_folder_may_take_what_the_disk_has_room_for(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in two_classes().items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    monkeypatch.setattr(images, "MOST_STORED", 1000)
    monkeypatch.setattr(images, "disk_usage", lambda _: SimpleNamespace(free=2000))
    with pytest.raises(Refused, match=r"there is room for 0\.0 GB\. A side of 5 fits\."):
        report_of(tmp_path / "folder", home, "images")
    monkeypatch.undo()
    monkeypatch.setattr(images, "MOST_STORED", 1000)
    assert report_of(tmp_path / "folder", home, "images").counts["train"] == {"cat": 8, "dog": 8}


def test_of_an_image_in_a_folder_only_the_head_is_read_before_it_is_decoded(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(1, (300, 200)))
    with archive.walked(tmp_path).open("a.png") as file:
        assert pictures.header(file, "a.png") == pictures.Header(300, 200, is_grey=False)
        assert file.tell() < 10_000 < (tmp_path / "a.png").stat().st_size


# Tables

PEOPLE = "age,town,name,income\n" + "".join(
    f"{20 + i if i % 7 else ''},{('Rome', 'Oslo')[i % 2]},person {i},{('low', 'high')[i % 3 == 0]}\n"
    for i in range(120)
)


def table(path: Path, text: str) -> Path:
    """A CSV file."""
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_becomes_features(tmp_path: Path, home: Path) -> None:
    report = report_of(table(tmp_path / "a.csv", PEOPLE), home, "table")
    one = mine(home)
    assert report.classes == ("high", "low")
    assert report.counts["train"] == {"high": 32, "low": 64}
    assert [column.name for column in one.columns] == ["age", "town"]
    assert one.columns[1].categories == ("Oslo", "Rome")
    assert one.columns[0].missing
    assert one.task.input_shape == (4,)
    assert "name is different in nearly every row" in str(report.warnings[0])


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["", "?", "1", "2.5", "-3e2", "NaN"]), st.sampled_from(["a", "b", "é", "", "N/A"])),
        min_size=20,
        max_size=40,
    )
)
def test_stored_features_are_those_of_the_function_that_is_taken_home(
    rows: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("table")
    cells = [(number, letter, str(index % 2)) for index, (number, letter) in enumerate(rows)]
    text = "id,number,letter,told\n" + "".join(f"{i},{','.join(row)}\n" for i, row in enumerate(cells))
    try:
        report_of(table(folder / "a.csv", text), folder / "home", "table")
    except Refused:
        assert len({*rows}) < 4
        return
    one = mine(folder / "home")
    columns = [astuple(column) for column in one.columns]
    stored = [row for part in ("train", "test") for row in arrays(described(one, folder / "home"), part)[0].tolist()]
    named = [dict(zip(("id", "number", "letter"), (str(i), *row[:2]), strict=True)) for i, row in enumerate(cells)]
    expected = [np.float32(features(row, columns)).tolist() for row in named]
    assert sorted(stored) == sorted(expected)


def test_many_different_numbers_are_told_as_numbers(tmp_path: Path, home: Path) -> None:
    rows = "".join(f"{i},{i % 5},{i * 1.5}\n" for i in range(60))
    report = report_of(table(tmp_path / "a.csv", f"x,y,price\n{rows}"), home, "table")
    assert mine(home).task.goal == "number"
    assert report.counts == {"train": {"": 48}, "test": {"": 12}}


def test_target_goal_delimiter_and_packing_may_differ(tmp_path: Path, home: Path) -> None:
    rows = "".join(f"{i % 3};{i}\n" for i in range(60))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(f"kind;x\n{rows}".encode("utf-8-sig")))
    report_of(tmp_path / "a.csv.gz", home, "table", target="kind", goal="number")
    one = mine(home)
    assert (one.target, one.task.goal, one.columns[0].name) == ("kind", "number", "x")


def test_a_column_split_and_a_second_file_say_what_tests(tmp_path: Path, home: Path) -> None:
    rows = "".join(f"{('train', 'test')[i % 4 == 0]},{i},{i % 3 % 2}\n" for i in range(60))
    report = report_of(table(tmp_path / "a.csv", f"split,x,y\n{rows}"), home, "table")
    assert report.counts["test"] == {"0": 10, "1": 5}
    remove("mine", home)
    train = "x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(40))
    tested = "x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(38, 60))
    report = report_of(table(tmp_path / "b.csv", train), home, "table", test=table(tmp_path / "c.csv", tested))
    assert report.duplicates == 2
    assert (mine(home).train, mine(home).test) == (38, 22)


GOOD = "".join(f"{i},{i % 2}\n" for i in range(30))


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (f"a,y\n{GOOD}1,2,3\n", {}, "Line 32 of a.csv has 3 cells; its header names 2"),
        (f"a,a\n{GOOD}", {}, "There are two columns a in a.csv"),
        (f"a,\n{GOOD}", {}, "Column 2 of a.csv has no name"),
        ("a\n1\n2\n", {}, "needs a header of two columns or more"),
        ("", {}, "needs a header of two columns or more"),
        (f"a,y\n{GOOD}", {"target": "z"}, "There is no column z; there are a, y"),
        (f"a,y\n{GOOD}7,\n", {}, "Row 32 does not say y, which is to be told"),
        (f"a,y\n{GOOD}7,NaN\n", {"goal": "number"}, "Row 32 does not say y"),
        (f"a,y\n{GOOD}7,inf\n", {"goal": "number"}, "y cannot be inf: it is no number"),
        (f"a,y\n{GOOD}inf,1\n", {}, "The column a has numbers without an end"),
        (f"a,y\n{GOOD}7,2\n", {}, "The class 2 has a single row"),
        ("a,y\n" + "".join(f"{i},1\n" for i in range(30)), {}, "Mine has one class only, 1"),
        ("a,y\n" + "".join(f"{i},1\n" for i in range(30)), {"goal": "number"}, "y is the same in every row"),
        ("a,y\n" + "".join(f"5,{i % 2}\n" for i in range(30)), {}, "rows that can be read; it needs 10"),
        ("a,b,y\n" + "".join(f"{i},5,{i}\n" for i in range(30)), {"goal": "classes"}, "has a single row"),
        ('a,y\n"open,1\n' + GOOD, {}, "of a.csv cannot be read"),
    ],
)
def test_what_is_no_honest_table_is_refused(
    text: str, options: dict[str, str], said: str, tmp_path: Path, home: Path
) -> None:
    with pytest.raises(Refused) as refused:
        report_of(table(tmp_path / "a.csv", text), home, "table", **options)
    assert said in str(refused.value)
    assert not [*home.iterdir()]


# Texts

SAID = {"good": "a fine film of course {}", "bad": "what a waste of time {}"}
REVIEWS = "".join(f"{SAID[label].format(i)}\t{label}\n" for i in range(30) for label in SAID)


def test_sentences_become_ids(tmp_path: Path, home: Path) -> None:
    report = report_of(table(tmp_path / "a.tsv", REVIEWS), home, "text")
    one = mine(home)
    assert report.counts == {"train": {"bad": 24, "good": 24}, "test": {"bad": 6, "good": 6}}
    known = vocabulary(described(one, home))
    assert len(known) == one.task.vocabulary
    assert one.task.input_shape == (6,)
    inputs, labels = arrays(described(one, home), "train")
    shown = {
        " ".join(known[id] for id in row): report.classes[label] for row, label in zip(inputs, labels, strict=True)
    }
    assert shown.items() <= {SAID[label].format(i): label for i in range(30) for label in SAID}.items()
    assert len(shown) == 48


def test_a_header_names_text_label_and_part(tmp_path: Path, home: Path) -> None:
    rows = [line.split("\t") for line in REVIEWS.splitlines()]
    text = "split\tfine\tlabel\ttext\n"
    text += "".join(f"{('train', 'test')[i % 3 == 0]}\t-\t{label}\t{said}\n" for i, (said, label) in enumerate(rows))
    report = report_of(table(tmp_path / "a.tsv", text), home, "text")
    assert report.counts["test"] == {"bad": 10, "good": 10}


def test_words_are_split_the_same_everywhere() -> None:
    assert words("It's *fine*, Café 2!") == ["it", "'", "s", "*", "fine", "*", ",", "café", "2", "!"]
    assert ids("a strange fine", {"a": 2, "fine": 3}, 5) == [2, 1, 3, 0, 0]
    assert ids("a a a", {"a": 2}, 2) == [2, 2]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (
            REVIEWS.encode() + "caf\xe9\tgood\n".encode("latin-1"),
            {},
            "Line 61 of a.tsv is not UTF-8: byte 0xe9 at place 4",
        ),
        (REVIEWS.encode("utf-16"), {}, "Line 1 of a.tsv is not UTF-8: byte 0xff at place 1"),
        (REVIEWS.encode() + b"no label here\n", {}, "Line 61 of a.tsv has 1 cells; a text, a tab and a label"),
        (REVIEWS.encode() + b"zero\0\tgood\n", {}, "Line 61 of a.tsv has a zero byte"),
        (gzip.compress(REVIEWS.encode())[:-20], {}, "a.tsv is damaged"),
        (REVIEWS.replace("bad", "good").encode(), {}, "Mine has one class only, good"),
        (REVIEWS.encode(), {"target": "label"}, "a.tsv has no header, so there is no column label"),
        (b"text\ta\tb\n" + b"x\ty\tz\n" * 30, {}, "Which column of a.tsv is the label?"),
        (b"x" * (2**20 + 5), {}, "Line 1 of a.tsv is longer than a megabyte"),
    ],
)
def test_what_is_no_honest_list_of_sentences_is_refused(
    content: bytes, options: dict[str, str], said: str, tmp_path: Path, home: Path
) -> None:
    (tmp_path / "a.tsv").write_bytes(content)
    with pytest.raises(Refused) as refused:
        report_of(tmp_path / "a.tsv", home, "text", **options)
    assert said in str(refused.value)
    assert not [*home.iterdir()]


def test_a_packed_file_is_bounded_by_what_it_really_holds(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MOST_BYTES", 2**20)
    (tmp_path / "a.tsv").write_bytes(gzip.compress((REVIEWS * 1000).encode()))
    with pytest.raises(Refused, match=r"a\.tsv unpacks to more than 1 MB"):
        report_of(tmp_path / "a.tsv", home, "text")
    assert not [*home.iterdir()]


# What is taken home


@pytest.mark.parametrize("kind", ["table", "text"])
def test_the_model_encodes_raw_rows_as_adding_did(
    kind: str, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAS_DATASET_DIR", str(home))
    report_of(table(tmp_path / "a", {"table": PEOPLE, "text": REVIEWS}[kind]), home, kind)
    data = load(Split("mine"))
    job = Job(SpaceSpec("baseline", {}), (), Split("mine"), Training(), 1, 1, "final", str(tmp_path / "out"))
    *_, last = Trained().evaluate(replace(job, export=True))
    assert isinstance(last, Measured), last
    check = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--line-length=120",
        "--select=E4,E7,E9,F,I",
        "model.py",
    ]
    assert subprocess.run(check, cwd=tmp_path / "out", capture_output=True, timeout=60).returncode == 0
    if kind == "table":
        names, *rows = [line.split(",") for line in PEOPLE.splitlines()]
        raw: list[Any] = [dict(zip(names, row, strict=True)) for row in rows]
    else:
        raw = [line.split("\t")[0] for line in REVIEWS.splitlines()]
    script = f"import sys; sys.path.insert(0, '.')\nimport model\nprint(model.encode({raw!r}).tolist())"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path / "out", capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    stored = torch.cat([part.inputs for part in (data.train, data.valid, data.test)]).tolist()
    assert sorted(json.loads(done.stdout)) == sorted(stored)


# Names, disks, changes


@pytest.mark.parametrize("name", ["", "..", "../up", "Upper", "a b", ".hidden", "x" * 65, "a/b", "é", "con\n"])
def test_bad_names_are_refused(name: str, tmp_path: Path, home: Path) -> None:
    with pytest.raises(Refused, match="A dataset cannot be called"):
        [*add(tmp_path / "a.csv", name=name, title="T", kind="table", home=home)]
    with pytest.raises(Refused, match="No dataset"):
        remove(name, home)


def test_a_name_is_taken_once(tmp_path: Path, home: Path) -> None:
    source = table(tmp_path / "a.csv", f"a,y\n{GOOD}")
    report_of(source, home, "table")
    before = mine(home)
    for name in ("mine", "digits"):
        with pytest.raises(Refused, match=f"There is already a dataset {name}"):
            [*add(source, name=name, title="T", kind="table", home=home)]
    assert mine(home) == before
    remove("mine", home)
    assert added(home) == ()
    with pytest.raises(Refused, match="No dataset mine was added"):
        remove("mine", home)


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path, home: Path) -> None:
    prints = []
    for name, text in (("one", f"a,y\n{GOOD}"), ("two", f"a,y\n{GOOD}"), ("three", f"a,y\n{GOOD}30,1\n")):
        *_, report = add(table(tmp_path / "a.csv", text), name=name, title=name, kind="table", home=home)
        assert isinstance(report, Report)
        prints.append(report.fingerprint)
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("kind", ["images", "table", "text"])
def test_a_full_disk_leaves_nothing(kind: str, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {
        "images": zipped(tmp_path / "a.zip", two_classes()),
        "table": table(tmp_path / "a.csv", f"a,y\n{GOOD}"),
        "text": table(tmp_path / "a.tsv", REVIEWS),
    }
    written = 0

    def full(*_: Any, **__: Any) -> None:
        nonlocal written
        written += 1
        if written > 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storing.Rows, "write", full)
    monkeypatch.setattr(np, "save", full)
    with pytest.raises(Refused, match="The disk is full: the dataset could not be written to"):
        report_of(sources[kind], home, kind)
    assert not [*home.iterdir()]


def test_who_stops_listening_leaves_nothing(tmp_path: Path, home: Path) -> None:
    adding = add(zipped(tmp_path / "a.zip", two_classes()), name="mine", title="Mine", kind="images", home=home)
    next(adding)
    assert [*home.iterdir()]
    adding.close()  # type: ignore[attr-defined]
    assert not [*home.iterdir()]

"""Tables: what is written comes back, and no file is trusted that could make an answer wrong."""

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.evaluation.protocol import Split
from nas.plan import Plan
from nas.rehearsal import on_table
from nas.search import Search
from nas.sentences import Refused
from nas.spaces.catalogue import SpaceSpec
from nas.tables import places, writing
from nas.tables.comma_separated import arrays_of
from nas.tables.reading import read

ABOUT = {
    "format": 1,
    "name": "Four networks",
    "source": "a test",
    "licence": "MIT",
    "decisions": [{"name": "kernel", "options": ["3", "5"]}, {"name": "depth", "options": ["1", "2", "4"]}],
    "metrics": {
        "toy.valid_accuracy.2ep": {"goal": "max", "unit": "%", "dataset": "toy", "split": "valid", "epochs": 2},
        "toy.parameters": {"goal": "min", "unit": "count"},
    },
}
CHOICES = [[0, 0], [0, 1], [1, 0], [1, 2]]
VALUES = {"toy.valid_accuracy.2ep": [70.0, 72.5, 71.0, 80.0], "toy.parameters": [10, 20, 15, 40]}


def packed(about):
    return np.frombuffer(json.dumps(about).encode(), np.uint8)


def arrays(about=ABOUT, choices=CHOICES, values=VALUES):
    return {
        "about": packed(about),
        "choices": np.array(choices, np.uint8),
        **{name: np.array(row) for name, row in values.items()},
    }


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The folder of added tables, the only one there is."""
    place = tmp_path / "tables"
    monkeypatch.setenv("NAS_TABLE_DIR", str(place))
    monkeypatch.delenv("NAS_DATA_DIR", raising=False)
    return place


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "four.npz"
    writing.save(path, arrays())
    return path


def test_an_added_table_is_found_by_its_name_and_answers(kept, good):
    assert writing.add(good, "four").fingerprint == read(good).fingerprint
    table = places.table("four")
    assert (table.title, len(table), table.fidelities("toy.valid_accuracy.2ep")) == ("Four networks", 4, (2,))
    assert table.value("toy.valid_accuracy.2ep", table.row((1, 2))) == 80.0
    assert table.row((1, 1)) is None


def test_a_name_is_taken_once_and_nothing_half_added_stays(kept, good, tmp_path):
    writing.add(good, "four")
    other = tmp_path / "other.npz"
    writing.save(other, arrays(values={**VALUES, "toy.parameters": [1, 2, 3, 4]}))
    with pytest.raises(Refused, match="There is a table four already"):
        writing.add(other, "four")
    assert places.table("four").value("toy.parameters", 0) == 10
    assert [path.name for path in kept.iterdir()] == ["four.npz"]


def test_a_table_of_a_data_folder_keeps_its_name(kept, good, monkeypatch):
    monkeypatch.setenv("NAS_DATA_DIR", str(good.parent))
    with pytest.raises(Refused, match="There is a table four already"):
        writing.add(good, "four")


@pytest.mark.parametrize("name", ["", "..", "../escape", "a/b", "Caps", "x" * 61, "-x", "a b", "a\0b"])
def test_a_name_that_is_no_name_is_refused(kept, good, name):
    with pytest.raises(Refused, match="A table cannot be called"):
        writing.add(good, name)
    assert not writing.remove(name)


@given(st.text(max_size=100))
def test_a_name_made_of_a_file_name_is_a_name_or_nothing(text):
    made = writing.name_of(text)
    assert made == "" or writing.NAME.fullmatch(made)


def test_a_removed_table_is_gone(kept, good):
    writing.add(good, "four")
    assert writing.remove("four")
    assert not writing.remove("four")
    assert "four" not in places.files()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (arrays(values={**VALUES, "toy.parameters": [10, np.nan, 15, 40]}), "is nan in row 1"),
        (arrays(values={**VALUES, "toy.parameters": [10, np.inf, 15, 40]}), "is inf in row 1"),
        (arrays(values={**VALUES, "toy.parameters": [10, 20]}), r"has the shape \(2,\)"),
        (arrays(values={**VALUES, "toy.parameters": [[1], [2], [3], [4]]}), "one number for each of the 4 rows"),
        (arrays(values={**VALUES, "toy.parameters": ["a", "b", "c", "d"]}), "it must be numbers"),
        (arrays(values={**VALUES, "toy.parameters": [1j, 2j, 3j, 4j]}), "it must be numbers"),
        (arrays(values={"toy.parameters": VALUES["toy.parameters"]}), "is announced, but the table has no array"),
        (arrays(values={**VALUES, "surprise": [1, 2, 3, 4]}), "its about says nothing of it"),
        (arrays(choices=[[0, 0], [0, 1], [1, 0], [0, 1]]), "Row 3 repeats"),
        (arrays(choices=[[0, 0], [0, 1], [1, 0], [1, 3]]), "chooses option 3 of depth, which has 3 options"),
        (arrays(choices=[[0], [1], [0], [1]]), "rows of 2 decisions"),
        (arrays(choices=np.zeros((0, 2))), "has no rows"),
        (arrays() | {"choices": np.array(CHOICES, float)}, "it must be whole numbers"),
        (arrays() | {"choices": -np.array(CHOICES, np.int8)}, "chooses option"),
        (arrays({**ABOUT, "format": 2}), "this version reads format 1"),
        (arrays({**ABOUT, "name": ""}), "does not say name"),
        (arrays({**ABOUT, "decisions": ABOUT["decisions"][:1] * 2}), "of different names"),
        (arrays({**ABOUT, "decisions": [{"name": "kernel", "options": ["3", "3"]}]}), "different options"),
        (arrays({**ABOUT, "decisions": "kernel"}), "decisions|must be"),
        (arrays({**ABOUT, "metrics": {"x": {"goal": "up"}}}), "^x.goal cannot be 'up': it must be one of min, max"),
        (arrays({**ABOUT, "metrics": {"toy.parameters": {"goal": "min", "epochs": -3}}}), "-3 epochs"),
        (arrays() | {"about": np.frombuffer(b"\xff\xfe{", np.uint8)}, "is not JSON"),
        (arrays() | {"about": np.frombuffer(b"[" * 100_000, np.uint8)}, "is not JSON"),
        (arrays() | {"about": packed([1])}, "it is no object"),
        ({"choices": np.array(CHOICES)}, "no array about"),
        ({"about": packed(ABOUT)}, "no array choices"),
    ],
)
def test_what_would_make_answers_wrong_is_refused_with_the_reason(kept, tmp_path, changed, reason):
    path = tmp_path / "bad.npz"
    writing.save(path, changed)
    with pytest.raises(Refused, match=reason):
        writing.add(path, "bad")
    assert not list(kept.glob("**/*.npz"))


def test_pickles_are_never_loaded(kept, tmp_path):
    path = tmp_path / "trap.npz"
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("about.npy", stream.getvalue() + b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(Refused, match="pickled Python objects in about, which are never loaded"):
        writing.add(path, "trap")


def npy(shape, body=b""):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return stream.getvalue() + body


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"about.npy": npy((10**15,))}, "says to have the shape"),
        ({"about.npy": npy((2,), b"12345")}, "but it has 5 bytes"),
        ({"readme.txt": b"hello"}, "which is no array"),
        ({"about.npy": b"no header"}, "is not a .npz file of arrays"),
        ({f"a{number}.npy": npy((0,)) for number in range(2001)}, "at most 2000"),
    ],
)
def test_an_archive_that_lies_is_refused_before_memory_is_given_to_it(kept, tmp_path, entries, reason):
    path = tmp_path / "lies.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in entries.items():
            archive.writestr(name, body)
    with pytest.raises(Refused, match=reason):
        writing.add(path, "lies")


def test_a_bomb_is_refused_by_what_it_would_unpack_to(kept, tmp_path):
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("a.npy", "w") as out,
    ):
        for _ in range(1100):
            out.write(bytes(1_000_000))
    assert path.stat().st_size < 2_000_000
    with pytest.raises(Refused, match="at most"):
        writing.add(path, "bomb")


@pytest.mark.parametrize("cut", [0, 1, 30, 200, -30])
def test_a_file_cut_short_is_refused(kept, good, tmp_path, cut):
    path = tmp_path / "cut.npz"
    path.write_bytes(good.read_bytes()[:cut])
    with pytest.raises(Refused, match=r"is not a \.npz file|says to have"):
        writing.add(path, "cut")


@settings(max_examples=50)
@given(st.data())
def test_a_file_with_bytes_turned_is_read_as_it_was_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("turned") / "four.npz"
    writing.save(path, arrays())
    body = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(body))
    try:
        table = read(path)
    except Refused:
        return
    assert len(table) == 4
    assert {name: list(values) for name, values in table.values.items()} == VALUES


def test_a_file_of_100_megabytes_is_refused_by_its_size(kept, tmp_path):
    path = tmp_path / "large.npz"
    with path.open("wb") as stream:
        stream.truncate(100_000_000)
    with pytest.raises(Refused, match="has 100000000 bytes; a table may have 64000000"):
        writing.add(path, "large")


def test_a_file_that_is_not_there_is_said_to_be_missing(kept, tmp_path):
    with pytest.raises(Refused, match="No such file"):
        writing.add(tmp_path / "nowhere.npz", "nowhere")


CSV = "kernel,depth,toy.valid_accuracy.2ep:max,latency.pixel3:min:ms\n3,10,70.5,4\n5,2,71,5.25\n3,2,69,3\n"


def added(text, tmp_path, name="toy.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return writing.add(path, "toy", "A toy")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_comma_separated_values_become_a_table(kept, tmp_path, separator, encoding):
    table = added(CSV.replace(",", separator).replace("\n", "\r\n"), tmp_path, encoding=encoding)
    assert table.title == "A toy"
    assert {one.name: one.options for one in table.decisions} == {"kernel": ("3", "5"), "depth": ("2", "10")}
    accuracy, latency = table.columns["toy.valid_accuracy.2ep"], table.columns["latency.pixel3"]
    assert (accuracy.goal, accuracy.unit, accuracy.dataset, accuracy.split, accuracy.epochs) == (
        ("max", "%", "toy", "valid", 2)
    )
    assert (latency.goal, latency.unit, latency.dataset, latency.device) == ("min", "ms", "", "pixel3")
    assert table.value("latency.pixel3", table.row((1, 0))) == 5.25


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no heading"),
        ("kernel,accuracy\n3,70\n", "has no metric: write the goal"),
        ("accuracy:max\n70\n", "has no decision"),
        ("kernel,accuracy:max\n", "no row below its heading"),
        ("kernel,accuracy:max\n3,70\n5\n", "Line 3 of toy.csv has 1 values; the heading has 2"),
        ("kernel,accuracy:max\n3,seventy\n", "is seventy in row 1; it must be a number"),
        ("kernel,accuracy:max\n3,\n", "is - in row 1"),
        ("kernel,accuracy:max\n3,nan\n", "is nan in row 0; every number must be finite"),
        ("kernel,accuracy:max\n3,70\n3,71\n", "Row 1 repeats"),
        ("kernel,kernel,accuracy:max\n3,3,70\n", "two columns kernel"),
        ("accuracy,accuracy:max\n3,70\n", "two columns accuracy"),
        (",accuracy:max\n3,70\n", "needs 1 to 100 letters"),
        ("kernel,accuracy:max\n" + "".join(f"{n},1\n" for n in range(257)), "has 257 options; it may have 256"),
        (b"kernel,accuracy:max\n\xe9,70\n", "is not UTF-8 text: byte 20 is 0xe9"),
        ("kernel,accuracy:max\n3,70\n".encode("utf-16"), "is not UTF-8 text"),
        ("kernel,accuracy:max\n\0,70\n", "zero byte"),
        ('kernel,accuracy:max\n"' + "x" * 200_000 + '",70\n', "cannot be read: field larger"),
    ],
)
def test_comma_separated_values_are_refused_with_line_and_value(kept, tmp_path, text, reason):
    with pytest.raises(Refused, match=reason):
        added(text, tmp_path)
    assert not list(kept.glob("*.npz"))


def test_a_csv_too_large_for_memory_is_refused_by_its_size(kept, tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as stream:
        stream.truncate(21_000_000)
    with pytest.raises(Refused, match=r"save it as \.npz"):
        arrays_of(path, "Large")


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.floats(-1e9, 1e9)),
        min_size=1,
        max_size=12,
        unique_by=lambda row: row[:2],
    )
)
def test_every_row_of_a_csv_can_be_looked_up(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "any.csv"
    path.write_text("a,b,value:min\n" + "".join(f"{a},option {b},{value!r}\n" for a, b, value in rows))
    out = path.with_suffix(".npz")
    writing.save(out, arrays_of(path, "Any"))
    table = read(out)
    options = {one.name: one.options for one in table.decisions}
    for a, b, value in rows:
        row = table.row((options["a"].index(str(a)), options["b"].index(f"option {b}")))
        assert table.value("value", row) == value


def test_a_column_may_be_called_as_a_metric_of_training_is(kept, tmp_path):
    added("a,b,accuracy:max,parameters:min\n" + "".join(f"{n},{n % 2},{50 + n},{9 - n}\n" for n in range(8)), tmp_path)
    for metric, best in (("accuracy", 57.0), ("parameters", 2.0)):
        base = Plan(Split("digits"), SpaceSpec("chain", {}), "random", budget=8)
        *_, last = Search(on_table(base, "toy", objectives=[metric])).run()
        assert last["best"]["metrics"] == {metric: best}

"""A sketch works out shapes and costs by formula, and refuses what cannot be computed."""

from collections.abc import Callable

import pytest

from nas.sentences import Refused
from nas.spaces.graph import Graph, Node, Task
from nas.spaces.sketch import Sketch

IMAGE = Task((4, 9, 7), 10)
TEXT = Task((5,), 2, vocabulary=30)
ROWS = Task((6,), 3)


def node(draw: Callable[[Sketch], str], task: Task = IMAGE) -> Node:
    """The last node that `draw` adds to a sketch."""
    sketch = Sketch(task)
    id = draw(sketch)
    at = id if len(sketch.shape(id)) == 1 else sketch.global_pool("pooled", id)
    return next(one for one in sketch.classify(at).nodes if one.id == id)


def costs(one: Node) -> tuple[tuple[int, ...], int, int]:
    return one.shape, one.parameters, one.multiply_adds


def test_the_inputs_of_a_task_have_a_kind() -> None:
    assert [task.kind for task in (IMAGE, ROWS, TEXT)] == ["image", "tabular", "text"]


def test_a_convolution_by_hand() -> None:
    strided = node(lambda s: s.conv("c", "input", filters=8, kernel=3, stride=2))
    assert costs(strided) == ((8, 5, 4), 4 * 9 * 8 + 16, 4 * 9 * 8 * 20)
    grouped = node(lambda s: s.conv("c", "input", filters=8, kernel=5, groups=4, dilation=2, norm=False))
    assert costs(grouped) == ((8, 9, 7), 25 * 8 + 8, 25 * 8 * 63)
    bare = node(lambda s: s.conv("c", "input", filters=2, kernel=(1, 7), stride=(1, 2), norm=False, bias=False))
    assert costs(bare) == ((2, 9, 4), 4 * 7 * 2, 4 * 7 * 2 * 36)


def test_poolings_halve_or_keep_an_image() -> None:
    shapes = [
        node(lambda s, size=size, stride=stride: s.pool("p", "input", how="max", size=size, stride=stride)).shape
        for size, stride in ((2, 2), (3, 2), (3, 1))
    ]
    assert shapes == [(4, 4, 3), (4, 5, 4), (4, 9, 7)]


def test_operations_of_cells_by_hand() -> None:
    reduced = node(lambda s: s.factorized_reduce("r", "input", filters=7))
    assert costs(reduced) == ((7, 5, 4), 4 * 7 + 14, 4 * 7 * 20)
    assert costs(node(lambda s: s.zero("z", "input", stride=2, filters=3))) == ((3, 5, 4), 0, 0)
    assert costs(node(lambda s: s.activate("a", "input"))) == ((4, 9, 7), 8, 0)
    assert costs(node(lambda s: s.activate("a", "input", norm=False))) == ((4, 9, 7), 0, 0)
    assert costs(node(lambda s: s.concat("c", ("input", "input", "input")))) == ((12, 9, 7), 0, 0)
    assert costs(node(lambda s: s.squeeze_excite("s", "input", squeezed=2))) == ((4, 9, 7), 8 + 2 + 8 + 4, 16)


def test_operations_of_transformers_by_hand() -> None:
    assert costs(node(lambda s: s.embed("e", "input", width=8), TEXT)) == ((5, 8), 30 * 8 + 5 * 8, 0)
    square = Task((3, 8, 4), 2)
    cut = node(lambda s: s.patches("p", "input", size=4, width=6), square)
    assert costs(cut) == ((2, 6), 3 * 16 * 6 + 6 + 2 * 6, 3 * 16 * 6 * 2)
    attended = node(lambda s: s.attention("a", s.embed("e", "input", width=8), heads=2), TEXT)
    assert costs(attended) == ((5, 8), 4 * 64 + 4 * 8, 4 * 5 * 64 + 2 * 25 * 8)
    assert costs(node(lambda s: s.layer_norm("n", s.embed("e", "input", width=8)), TEXT)) == ((5, 8), 16, 0)
    mixed = node(lambda s: s.dense("d", s.embed("e", "input", width=8), units=3), TEXT)
    assert costs(mixed) == ((5, 3), 8 * 3 + 3, 5 * 8 * 3)


def test_a_vector_passes_dense_layers() -> None:
    assert costs(node(lambda s: s.dense("d", "input", units=4, norm=True), ROWS)) == ((4,), 24 + 8, 24)


def test_the_depth_counts_weighted_layers_on_the_longest_path() -> None:
    sketch = Sketch(IMAGE)
    short = sketch.conv("short", "input", filters=4, kernel=1)
    long = sketch.squeeze_excite(
        "gate", sketch.conv("b", sketch.conv("a", "input", filters=4, kernel=3), filters=4, kernel=3), squeezed=1
    )
    joined = sketch.activate("norm", sketch.add("sum", (short, long, sketch.zero("zero", "input"))))
    graph = sketch.classify(sketch.global_pool("pool", joined))
    assert graph.depth == graph.costs["depth"] == 3


def test_labels_are_in_the_terms_of_the_field() -> None:
    drawn = [
        (IMAGE, lambda s: s.conv("x", "input", filters=8, kernel=3, stride=2, order="activation first")),
        (IMAGE, lambda s: s.conv("x", "input", filters=4, kernel=5, groups=4, activation="none")),
        (IMAGE, lambda s: s.conv("x", "input", filters=8, kernel=3, groups=2, dilation=2, norm=False)),
        (IMAGE, lambda s: s.conv("x", "input", filters=8, kernel=(1, 7), activation="hardswish")),
        (IMAGE, lambda s: s.pool("x", "input", how="max", size=2)),
        (IMAGE, lambda s: s.pool("x", "input", how="average", size=3)),
        (IMAGE, lambda s: s.activate("x", "input")),
        (IMAGE, lambda s: s.activate("x", "input", norm=False, activation="silu")),
        (IMAGE, lambda s: s.add("x", ("input", "input"), activation="relu")),
        (IMAGE, lambda s: s.squeeze_excite("x", "input", squeezed=8)),
        (TEXT, lambda s: s.attention("x", s.embed("e", "input", width=8), heads=4)),
        (TEXT, lambda s: s.layer_norm("x", s.embed("e", "input", width=8))),
        (Task((1, 8, 8), 2), lambda s: s.patches("x", "input", size=4, width=64)),
    ]
    assert [(one.label, one.detail) for one in (node(draw, task) for task, draw in drawn)] == [
        ("conv 3×3, 8 /2", "pre-ReLU · BN"),
        ("dw conv 5×5, 4", "BN"),
        ("dil conv 3×3, 8, 2 groups", "ReLU"),
        ("conv 1×7, 8", "BN · hard-swish"),
        ("max pool 2×2", ""),
        ("average pool 3×3 /2", ""),
        ("batch norm", "ReLU"),
        ("SiLU", ""),
        ("add, ReLU", ""),
        ("SE 8", "ReLU"),
        ("attention, 4 heads", ""),
        ("layer norm", ""),
        ("patch 4×4, 64", ""),
    ]


@pytest.mark.parametrize(
    ("task", "draw", "sentence"),
    [
        (IMAGE, lambda s: s.conv("x", "input", filters=8, kernel=2), "x has a kernel of 2 x 2; both must be odd"),
        (
            IMAGE,
            lambda s: s.conv("x", "input", filters=8, kernel=3, groups=3),
            "x cannot split 4 channels and 8 filters",
        ),
        (IMAGE, lambda s: s.pool("x", "input", how="max", size=2, stride=1), "x cannot pool 2 x 2 with stride 1"),
        (Task((1, 1, 4), 2), lambda s: s.pool("x", "input", how="max", size=2), "x cannot pool an image of 1 x 4"),
        (IMAGE, lambda s: s.factorized_reduce("x", "input", filters=1), "x has 1 filters"),
        (IMAGE, lambda s: s.dense("x", "input", units=3), "x reads a vector or tokens, but the output of input has"),
        (IMAGE, lambda s: s.embed("x", "input", width=3), "x embeds a text, but input is none"),
        (IMAGE, lambda s: s.patches("x", "input", size=3, width=8), "cut an image of 9 x 7 into patches of 3 x 3"),
        (IMAGE, lambda s: s.attention("x", "input", heads=2), "x reads tokens"),
        (IMAGE, lambda s: s.concat("x", ("input", s.zero("z", "input", stride=2))), "x cannot join outputs of shapes"),
        (IMAGE, lambda s: s.add("x", ("input", s.zero("z", "input", filters=2))), "x cannot add outputs of different"),
        (TEXT, lambda s: s.dense("x", "input", units=3), "x cannot read a text's token ids before they are embedded"),
        (TEXT, lambda s: s.attention("x", s.embed("e", "input", width=6), heads=4), "split a width of 6 into 4 heads"),
        (TEXT, lambda s: s.conv("x", s.embed("e", "input", width=6), filters=4, kernel=3), "x reads an image"),
        (ROWS, lambda s: s.embed("x", "input", width=6), "x embeds a text"),
        (ROWS, lambda s: s.dense("input", "input", units=6), "There are two nodes with the id input"),
        (IMAGE, lambda s: s.classify("input"), "output reads a vector"),
    ],
)
def test_what_cannot_be_computed_is_refused(task: Task, draw: Callable[[Sketch], str | Graph], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        draw(Sketch(task))

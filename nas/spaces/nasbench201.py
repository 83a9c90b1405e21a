"""NAS-Bench-201 (Dong and Yang, ICLR 2020): one cell of four nodes, an operation on each of its six edges."""

from dataclasses import dataclass
from functools import cached_property

from nas.architecture import Architecture, Decision
from nas.sentences import Refused, Sentence
from nas.settings import setting
from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
NODES = (1, 2, 3)
STAGES = 3
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


@dataclass(frozen=True)
class NasBench201:
    """A convolution, three stages of equal cells with a residual block of stride 2 between them, a classifier.

    Node 0 of a cell is its input; every later node is the sum of what its edges make of the nodes before it; node 3 is
    the output. Canonical form: every spelling is its own, as in the benchmark, which trained each of the 15,625 cells,
    those that compute the same and those with parts that reach no output included.
    """

    task: Task
    operations: tuple[str, ...] = setting(OPERATIONS, options=OPERATIONS, help="Operations that an edge chooses from.")
    cells: int = setting(5, low=1, high=20, help="Cells in each of the three stages.")
    channels: int = setting(16, low=1, high=256, help="Channels of the first stage; each further stage doubles them.")

    name = "nasbench201"

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """One per edge, named and ordered as in the benchmark's table."""
        return tuple(Decision(f"edge {source}-{target}", self.operations) for source, target in EDGES)

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return it as it is."""
        return architecture

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """Every cell is allowed, also one in which nothing reaches the output."""
        return None

    def text_of(self, architecture: Architecture) -> str:
        """Write the cell as the benchmark does: `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, one group per node."""
        picked = self._picked(architecture)
        return "+".join(
            "|" + "|".join(f"{picked[source, node]}~{source}" for source in range(node)) + "|" for node in NODES
        )

    def architecture_of(self, text: str) -> Architecture:
        """Read what `text_of` writes; raises Refused where it is no cell of this space."""
        groups = text.strip().split("+")
        if len(groups) != len(NODES):
            raise Refused(
                "A cell has three groups joined by +, as in |op~0|+|op~0|op~1|+|op~0|op~1|op~2|; {text} has {count}.",
                text=text[:200],
                count=len(groups),
            )
        picked = {}
        for node, group in zip(NODES, groups, strict=True):
            for source, written in enumerate(self._edges_of(group, node)):
                picked[source, node] = self._index(written, source)
        return Architecture(self.name, tuple(picked[edge] for edge in EDGES))

    def graph(self, architecture: Architecture) -> Graph:
        """Draw stem, stages and head; a residual block keeps the size of an image that is one pixel high or wide."""
        sketch = Sketch(self.task)
        picked, width = self._picked(architecture), self.channels
        at = sketch.conv("stem", "input", filters=width, kernel=3, activation="none", group="stem")
        for stage in range(STAGES):
            if stage:
                width *= 2
                at = _residual(sketch, stage, at, width)
            for number in range(stage * self.cells + 1, (stage + 1) * self.cells + 1):
                at = _cell(sketch, number, at, picked, width)
        at = sketch.activate("last", at, group="head")
        return sketch.classify(sketch.global_pool("head", at, group="head"))

    def _picked(self, architecture: Architecture) -> dict[tuple[int, int], str]:
        return {edge: self.operations[choice] for edge, choice in zip(EDGES, architecture.choices, strict=True)}

    def _edges_of(self, group: str, node: int) -> list[str]:
        edges = group.strip().strip("|").split("|")
        if len(edges) != node:
            raise Refused(
                "Node {node} has {right} edges; {text} has {count}.",
                node=node,
                right=node,
                text=group[:200],
                count=len(edges),
            )
        return edges

    def _index(self, written: str, source: int) -> int:
        operation, _, reads = written.strip().partition("~")
        if reads != str(source):
            raise Refused("{text} stands where an edge from node {source} is due.", text=written[:80], source=source)
        if operation not in self.operations:
            raise Refused(
                "There is no operation {name} in the space; there are {names}.",
                name=operation[:80],
                names=", ".join(self.operations),
            )
        return self.operations.index(operation)


def _cell(sketch: Sketch, number: int, source: str, picked: dict[tuple[int, int], str], width: int) -> str:
    """Draw one cell; a node that no edge leads to is zero."""
    id, group = f"cell{number}", f"cell {number}"
    nodes = [source]
    for node in NODES:
        arrived = []
        for before in range(node):
            edge, operation = f"{id}.edge{before}{node}", picked[before, node]
            if operation == "skip_connect":
                arrived.append(nodes[before])
            elif operation == "avg_pool_3x3":
                arrived.append(sketch.pool(edge, nodes[before], how="average", size=3, stride=1, group=group))
            elif operation != "none":
                kernel = int(operation[-1])
                arrived.append(_relu_conv(sketch, edge, nodes[before], width, kernel, group=group))
        name = f"{id}.node{node}"
        nodes.append(
            sketch.add(name, tuple(arrived), group=group) if arrived else sketch.zero(name, source, group=group)
        )
    return nodes[-1]


def _residual(sketch: Sketch, number: int, source: str, width: int) -> str:
    """Draw the block between stages: two convolutions, the first of stride 2, around a pooled 1 x 1 projection."""
    id, group = f"residual{number}", f"residual {number}"
    _, height, across = sketch.shape(source)
    stride = 2 if min(height, across) >= 2 else 1
    first = _relu_conv(sketch, f"{id}.conv1", source, width, 3, stride, group=group)
    second = _relu_conv(sketch, f"{id}.conv2", first, width, 3, group=group)
    around = source
    if stride == 2:
        # A window of 2 x 2, as in the paper, would lose the last row or column of an odd image.
        size = 3 if height % 2 or across % 2 else 2
        around = sketch.pool(f"{id}.pool", source, how="average", size=size, group=group)
    around = sketch.conv(
        f"{id}.project", around, filters=width, kernel=1, norm=False, bias=False, activation="none", group=group
    )
    return sketch.add(f"{id}.add", (around, second), group=group)


def _relu_conv(sketch: Sketch, id: str, source: str, width: int, kernel: int, stride: int = 1, *, group: str) -> str:
    return sketch.conv(id, source, filters=width, kernel=kernel, stride=stride, order="activation first", group=group)

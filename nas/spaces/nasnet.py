"""The cells of NASNet (Zoph et al., CVPR 2018) and DARTS (Liu et al., ICLR 2019): a normal one and a reduction."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from nas.architecture import Architecture, Decision
from nas.sentences import Refused, Sentence
from nas.settings import setting
from nas.spaces.genotype import Genotype, Pair, genotype
from nas.spaces.graph import Graph, Task
from nas.spaces.operations import DARTS, OPERATIONS, operate
from nas.spaces.sketch import Sketch

CELLS = ("normal", "reduction")
Node = tuple[tuple[int, int], tuple[int, int]]  # two pairs of the state that is read and an operation's index
Cell = tuple[Node, ...]


@dataclass(frozen=True)
class NasNet:
    """Cells in a row, each reading the two before it; every node adds an operation of each of two earlier states.

    After a third and two thirds of the network stands a reduction cell, of stride 2 and twice the channels. Canonical
    form: where inputs must differ, a repeated one moves on; `none` reads the first state that it may; the pairs of a
    node are sorted by state and operation; and of the orders in which the nodes can stand, which all compute the same
    up to the order of channels, it is the first one.
    """

    task: Task
    operations: tuple[str, ...] = setting(DARTS, options=OPERATIONS, help="Operations that a node chooses from.")
    nodes: int = setting(4, low=1, high=6, help="Nodes of a cell, its two inputs not counted.")
    cells: int = setting(8, low=3, high=40, help="Cells of the network, two of which reduce the image.")
    channels: int = setting(
        16, low=2, high=256, help="Channels of a node in the first cells; each reduction doubles them."
    )
    stem_multiplier: int = setting(
        3, low=1, high=8, help="Channels of the first convolution, in multiples of channels."
    )
    distinct_inputs: bool = setting(True, help="Let no node read the same state twice, as in DARTS.")
    concat: str = setting(
        "all",
        options=("all", "unused"),
        help="Nodes whose outputs make the cell's: all, as in DARTS, or those that no other node reads, as in NASNet.",
    )

    name = "nasnet"

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Per cell and node: the first input and its operation, the second input and its operation."""
        asked = []
        for cell in CELLS:
            for node in range(1, self.nodes + 1):
                states = ("cell before last", "last cell", *(f"node {earlier}" for earlier in range(1, node)))
                for which in (1, 2):
                    asked.append(Decision(f"{cell} node {node} input {which}", states))
                    asked.append(Decision(f"{cell} node {node} operation {which}", self.operations))
        return tuple(asked)

    def canonical(self, architecture: Architecture) -> Architecture:
        """Repair each node, then take the first of the equivalent orders of both cells' nodes."""
        return self._spell(tuple(_first_order(self._repaired(cell)) for cell in self._cells(architecture)))

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """Every canonical architecture is a network."""
        return None

    def genotype_of(self, architecture: Architecture) -> Genotype:
        """Return both cells as the field writes them; `str` makes the text."""
        normal, reduction = self._cells(architecture)
        return Genotype(
            *(self._written(normal), self._concatenated(normal)),
            *(self._written(reduction), self._concatenated(reduction)),
        )

    def text_of(self, architecture: Architecture) -> str:
        """Write both cells as `Genotype(normal=[...], normal_concat=..., reduce=[...], reduce_concat=...)`."""
        return str(self.genotype_of(architecture))

    def architecture_of(self, text: str) -> Architecture:
        """Read a genotype into its canonical architecture; raises Refused where it is none of this space."""
        read = genotype(text)
        normal, reduction = self._cell_of("normal", read.normal), self._cell_of("reduction", read.reduce)
        self._check_concat("normal", normal, read.normal_concat)
        self._check_concat("reduction", reduction, read.reduce_concat)
        return self.canonical(self._spell((normal, reduction)))

    def graph(self, architecture: Architecture) -> Graph:
        """Draw the stem, the cells, a global average and the classifier, as DARTS does on CIFAR-10."""
        sketch = Sketch(self.task)
        normal, reduction = self._cells(architecture)
        width = self.channels
        filters = self.stem_multiplier * width
        before = last = sketch.conv("stem", "input", filters=filters, kernel=3, activation="none", group="stem")
        for index in range(self.cells):
            reduces = index in (self.cells // 3, 2 * self.cells // 3)
            width *= 1 + reduces
            cell = reduction if reduces else normal
            drawn = self._draw(sketch, index + 1, (before, last), cell, width, reduces)
            before, last = last, drawn
        return sketch.classify(sketch.global_pool("head", last, group="head"))

    def _cells(self, architecture: Architecture) -> tuple[Cell, Cell]:
        """Take the choices apart: each cell's nodes, each two pairs of a state and an operation."""
        picked = iter(architecture.choices)
        nodes = [((next(picked), next(picked)), (next(picked), next(picked))) for _ in range(2 * self.nodes)]
        return tuple(nodes[: self.nodes]), tuple(nodes[self.nodes :])

    def _spell(self, cells: tuple[Cell, ...]) -> Architecture:
        return Architecture(
            self.name, tuple(number for cell in cells for node in cell for pair in node for number in pair)
        )

    def _repaired(self, cell: Cell) -> Cell:
        """Let `none` read the first state, move an input that must not repeat on to the next state, sort the pairs."""
        nodes = []
        for states, node in enumerate(cell, start=2):
            kept, other = sorted(
                ((state if self._reads(operation) else 0, operation) for state, operation in node),
                key=lambda pair: (not self._reads(pair[1]), pair),
            )
            if self.distinct_inputs and kept[0] == other[0]:
                other = ((other[0] + 1) % states, other[1])
            nodes.append((min(kept, other), max(kept, other)))
        return tuple(nodes)

    def _reads(self, operation: int) -> bool:
        return self.operations[operation] != "none"

    def _concatenated(self, cell: Cell) -> tuple[int, ...]:
        """Return the states, counted from the two inputs on, that make the cell's output."""
        read = {state for node in cell for state, operation in node if self._reads(operation)}
        return tuple(state for state in range(2, 2 + self.nodes) if self.concat == "all" or state not in read)

    def _written(self, cell: Cell) -> tuple[Pair, ...]:
        return tuple((self.operations[operation], state) for node in cell for state, operation in node)

    def _cell_of(self, name: str, pairs: tuple[Pair, ...]) -> Cell:
        """Check one cell of a genotype against the settings."""
        if len(pairs) != 2 * self.nodes:
            raise Refused(
                "The {cell} cell has {count} pairs; {nodes} nodes need {due}.",
                cell=name,
                count=len(pairs),
                nodes=self.nodes,
                due=2 * self.nodes,
            )
        nodes = []
        for index in range(self.nodes):
            first, second = (self._pair_of(name, index + 1, pair) for pair in pairs[2 * index : 2 * index + 2])
            if self.distinct_inputs and first[0] == second[0]:
                raise Refused(
                    "Node {node} of the {cell} cell reads the state {state} twice, which distinct_inputs forbids.",
                    node=index + 1,
                    cell=name,
                    state=first[0],
                )
            nodes.append((first, second))
        return tuple(nodes)

    def _check_concat(self, name: str, cell: Cell, states: tuple[int, ...]) -> None:
        due = list(self._concatenated(cell))
        if sorted(states) != due:
            raise Refused(
                "The {cell} cell concatenates the states {given}; with concat {rule} it would be {due}.",
                cell=name,
                given=str(list(states)),
                rule=self.concat,
                due=str(due),
            )

    def _pair_of(self, cell: str, node: int, pair: Pair) -> tuple[int, int]:
        operation, state = pair
        if operation not in self.operations:
            raise Refused(
                "There is no operation {name} in the space; there are {names}.",
                name=operation[:80],
                names=", ".join(self.operations),
            )
        if state > node:
            raise Refused(
                "Node {node} of the {cell} cell reads the state {state}; the last before it is {last}.",
                node=node,
                cell=cell,
                state=state,
                last=node,
            )
        return state, self.operations.index(operation)

    def _draw(
        self, sketch: Sketch, number: int, sources: tuple[str, str], cell: Cell, width: int, reduces: bool
    ) -> str:
        """Draw one cell over the outputs of the two before it, brought to the same size and channels."""
        id, group = f"cell{number}", f"cell {number}"
        states = list(_prepared(sketch, id, sources, width, group))
        # An image of one pixel cannot be halved.
        halves = reduces and min(sketch.shape(states[0])[1:]) >= 2
        for node, pairs in enumerate(cell, start=1):
            name, arrived = f"{id}.node{node}", []
            for which, (state, choice) in enumerate(pairs, start=1):
                if self._reads(choice):
                    operation, stride = self.operations[choice], 2 if halves and state < 2 else 1
                    place = f"{name}.op{which}"
                    arrived.append(operate(sketch, place, states[state], operation, stride=stride, group=group))
            if arrived:
                states.append(sketch.add(name, tuple(arrived), group=group))
            else:
                states.append(sketch.zero(name, states[0], stride=1 + halves, group=group))
        return sketch.concat(f"{id}.out", tuple(states[state] for state in self._concatenated(cell)), group=group)


def _first_order(cell: Cell) -> Cell:
    """Return the smallest spelling of a cell over the orders in which each node comes after those it reads."""
    return min(_orders(cell, {0: 0, 1: 1}))


def _orders(cell: Cell, renamed: Mapping[int, int]) -> Iterator[Cell]:
    """Yield the spellings that begin as the smallest does; `renamed` tells where the states placed so far now are."""
    ready: dict[int, Node] = {}
    for state, pairs in enumerate(cell, start=2):
        if state not in renamed and all(source in renamed for source, _ in pairs):
            first, second = sorted((renamed[source], operation) for source, operation in pairs)
            ready[state] = (first, second)
    if not ready:
        yield ()
    least = min(ready.values(), default=None)
    for state, node in ready.items():
        if node == least:
            for rest in _orders(cell, {**renamed, state: len(renamed)}):
                yield (node, *rest)


def _prepared(sketch: Sketch, id: str, sources: tuple[str, str], width: int, group: str) -> tuple[str, str]:
    """Bring both inputs of a cell to `width` channels and to the size of the last one."""
    before, last = sources
    if sketch.shape(before)[1:] != sketch.shape(last)[1:]:
        first = sketch.factorized_reduce(f"{id}.input1", before, filters=width, group=group)
    else:
        first = sketch.conv(f"{id}.input1", before, filters=width, kernel=1, order="activation first", group=group)
    return first, sketch.conv(f"{id}.input2", last, filters=width, kernel=1, order="activation first", group=group)

"""Any table as a search space: its decisions, and only those architectures that it has a row for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from nas.architecture import Architecture, Decision
from nas.sentences import Sentence
from nas.settings import setting
from nas.spaces.graph import Graph, Node, Task
from nas.tables import places
from nas.tables.table import Table

EDGE = re.compile(r"edge (\d+)-(\d+)")
NOTHING = "none"


@dataclass(frozen=True)
class Tabulated:
    """Every combination of choices that the table knows; a combination without a row is invalid."""

    task: Task
    table: str = setting("digits_cells", help="Name of the table, or the path of its file.")

    name = "table"

    @cached_property
    def rows(self) -> Table:
        """The table itself; raises Refused where it is not found or cannot be trusted."""
        return places.table(self.table)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions of the table."""
        return self.rows.decisions

    def canonical(self, architecture: Architecture) -> Architecture:
        """Every row was trained by itself, so every spelling stays as it is."""
        return architecture

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """An architecture that the table lacks is not in the space."""
        if self.rows.row(architecture.choices) is None:
            return Sentence("The table {table} has no such architecture.", {"table": self.rows.title})
        return None

    def graph(self, architecture: Architecture) -> Graph:
        """Draw a box per choice: in a row, or as a cell where the decisions name its edges; costs are the table's."""
        options = [d.options[c] for d, c in zip(self.decisions, architecture.choices, strict=True)]
        edges = [EDGE.fullmatch(decision.name) for decision in self.decisions]
        ends = [(int(edge[1]), int(edge[2])) for edge in edges if edge]
        is_cell = len(ends) == len(options)
        nodes = self._cell(ends, options) if is_cell else self._row(options)
        row = self.rows.row(architecture.choices)
        parameters, multiply_adds = (0, 0) if row is None else self._costs(row)
        # Where no path leads through a cell, its last node is not drawn and the output has nothing to read.
        last = f"node{max(end for _, end in ends)}" if is_cell else nodes[-1].id
        read = tuple(node.id for node in nodes if node.id == last)
        output = Node("output", "output", read, (self.task.classes,), parameters, multiply_adds)
        return Graph(self.task, (Node("input", "input", (), self.task.input_shape), *nodes, output))

    def _cell(self, ends: Sequence[tuple[int, int]], options: Sequence[str]) -> list[Node]:
        nodes: list[Node] = []
        states = {0: "input"}
        for target in sorted({end for _, end in ends}):
            reads = []
            for (start, end), option in zip(ends, options, strict=True):
                if end == target and option != NOTHING and start in states:
                    nodes.append(self._box(f"edge{start}-{end}", f"edge {start}-{end}", option, states[start]))
                    reads.append(nodes[-1].id)
            if reads:
                states[target] = f"node{target}"
                nodes.append(Node(states[target], "add", tuple(reads), self.task.input_shape))
        return nodes

    def _row(self, options: Sequence[str]) -> list[Node]:
        nodes: list[Node] = []
        for decision, option in zip(self.decisions, options, strict=True):
            source = nodes[-1].id if nodes else "input"
            nodes.append(self._box(decision.name.replace(" ", ""), decision.name, option, source))
        return nodes

    def _box(self, id: str, decision: str, option: str, source: str) -> Node:
        return Node(id, "choice", (source,), self.task.input_shape, options={"decision": decision, "option": option})

    def _costs(self, row: int) -> tuple[int, int]:
        def first(ending: str) -> float:
            names = (name for name in self.rows.columns if name.rpartition(".")[2] == ending)
            return next((self.rows.value(name, row) for name in names), 0.0)

        return round(first("parameters")), round(1e6 * first("mega_flops"))

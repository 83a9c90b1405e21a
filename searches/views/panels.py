"""The panels beside the wizard's forms: the estimate, and random networks of the space."""

from random import Random
from typing import Any

from django.utils.translation import gettext as _

from nas.plan import search_space
from nas.sentences import Refused
from nas.spaces import moves
from searches.drafts import Draft
from searches.drawing.svg import draw
from searches.estimate import estimate
from searches.figures import write
from searches.say import say

DRAWN = 3


def estimate_panel(draft: Draft, *, current: bool) -> dict[str, Any]:
    """Return what the estimate shows; `current` is False where the form does not say anything valid yet."""
    found, problem = None, ""
    try:
        found = estimate(draft)
    except Refused as refused:
        problem = say(refused.sentence)
    return {"estimate": found, "estimate_problem": problem, "current": current, "draft": draft}


def samples_panel(draft: Draft, turn: int) -> dict[str, Any]:
    """Return three networks of the space, others at every turn."""
    networks = []
    try:
        space = search_space(draft.plan)
        for index in range(DRAWN):
            graph = space.graph(moves.sample(space, Random(f"shown/{turn}/{index}")))
            title = _("{parameters} parameters").format(parameters=write("parameters", graph.parameters))
            if not graph.parameters:  # a table need not know them
                title = _("Network {number}").format(number=turn * DRAWN + index + 1)
            networks.append({"svg": draw(graph, name=f"sample{index}", title=title), "title": title})
    except Refused:
        networks = []  # the estimate beside it says why
    return {"networks": networks, "draw": turn}

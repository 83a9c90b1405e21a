"""Every method of `nas.gradient`, and every space they serve made continuous.

A method is a module whose parameters are alpha: `begin_epoch(progress)` sets what changes over the search, from 0 to 1;
`step` moves weights and alpha once, on a batch of each half where `halves` says so; `probabilities` and `strengths`,
(edges, options), are what alpha stands for and what is derived from; `trace` is what else is worth drawing.
"""

from torch import Generator

from nas.evaluation.relaxed.chain import RelaxedChain
from nas.evaluation.relaxed.darts import DartsMethod
from nas.evaluation.relaxed.gdas import GdasMethod
from nas.evaluation.relaxed.nasbench201 import RelaxedNasBench201
from nas.evaluation.relaxed.nasnet import RelaxedNasNet
from nas.evaluation.relaxed.pc_darts import PcDartsMethod
from nas.evaluation.relaxed.relaxation import Edges, Relaxation
from nas.evaluation.relaxed.snas import SnasMethod
from nas.gradient import Darts, Descent, Gdas, PcDarts, Snas
from nas.sentences import Refused
from nas.spaces.chain import Chain
from nas.spaces.nasbench201 import NasBench201
from nas.spaces.nasnet import NasNet
from nas.spaces.protocol import SearchSpace

Method = DartsMethod | SnasMethod | GdasMethod | PcDartsMethod


def method(settings: Descent, edges: Edges, draw: Generator) -> Method:
    """Return the method that the settings are of, its alpha drawn anew."""
    match settings:
        case Darts():
            return DartsMethod(edges, settings, draw)
        case Snas():
            return SnasMethod(edges, settings, draw)
        case Gdas():
            return GdasMethod(edges, settings, draw)
        case PcDarts():
            return PcDartsMethod(edges, settings, draw)
    raise Refused("There is no method for {name}.", name=type(settings).__name__)


def relaxation(space: SearchSpace) -> Relaxation:
    """Return the space made continuous; raises Refused where it is not known how."""
    match space:
        case NasBench201():
            return RelaxedNasBench201(space)
        case NasNet():
            return RelaxedNasNet(space)
        case Chain():
            return RelaxedChain(space)
    raise Refused("The space {name} cannot be searched by gradient.", name=space.name)

"""The strategies that search by gradient: their settings, by name. No torch here; `nas.evaluation.relaxed` runs them.

A strategy of `nas.strategies` proposes architectures one by one. These train one supernet, in which every edge mixes
all its operations, and learn the weights of the mixture, alpha; a search is one long evaluation, an epoch its step.
"""

from dataclasses import dataclass
from typing import ClassVar

from nas.sentences import Refused
from nas.settings import setting
from nas.spaces.chain import Chain
from nas.spaces.nasbench201 import NasBench201
from nas.spaces.nasnet import NasNet
from nas.spaces.protocol import SearchSpace

LARGEST_RATE = 0.006  # that of PC-DARTS on ImageNet, the largest of these papers


@dataclass(frozen=True)
class Descent:
    """How the shared weights and alpha descend: SGD with momentum 0.9 under a cosine, and Adam, as DARTS does.

    `reach` is the learning rate of alpha times its steps, as the paper has them on CIFAR-10: Adam moves a parameter by
    its learning rate at most, so it says how far alpha can go in a search.
    """

    reach: ClassVar[float] = 6.0  # 0.0003 in 50 epochs of 391 steps

    batch_size: int = setting(64, low=2, high=4096, help="Examples per step.")
    learning_rate: float = setting(0.025, low=1e-6, high=10, help="First learning rate of the shared weights.")
    last_learning_rate: float = setting(0.001, low=0, high=10, help="Last learning rate of the shared weights.")
    weight_decay: float = setting(3e-4, low=0, high=1, help="L2 penalty on the shared weights.")
    alpha_learning_rate: float = setting(
        0.0,
        low=0,
        high=1,
        help="Learning rate of alpha; 0: such that alpha can go as far as in the paper, however few steps there are.",
    )
    alpha_weight_decay: float = setting(1e-3, low=0, high=1, help="L2 penalty on alpha.")
    warm_up: float = setting(0.3, low=0, high=0.9, help="Share of the epochs in which only the weights learn.")
    derive_none: bool = setting(
        False,
        help="Let the operation none be derived where it is the strongest. Norms undo what it does to the size of a "
        "sum, so its strength tells little.",
    )
    stop_at_collapse: int = setting(
        0,
        low=0,
        high=1000,
        help="Epochs in a row with the alarm of collapse after which the search ends with the last architecture before "
        "them; 0: it goes on.",
    )

    def warming(self, epochs: int) -> int:
        """Return how many of the epochs alpha rests in."""
        return int(self.warm_up * epochs)

    def alpha_rate(self, steps: int) -> float:
        """Return the learning rate of alpha where it takes so many steps in all."""
        return self.alpha_learning_rate or min(LARGEST_RATE, self.reach / max(1, steps))


@dataclass(frozen=True)
class Darts(Descent):
    """Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019."""

    order: str = setting(
        "first",
        options=("first", "second"),
        help="Whether the gradient of alpha sees that a step of alpha changes the weights; second takes three times as "
        "long.",
    )


@dataclass(frozen=True)
class Snas(Descent):
    """Xie, Zheng, Liu and Lin, "SNAS: Stochastic Neural Architecture Search", ICLR 2019."""

    reach: ClassVar[float] = 35.0  # 0.0003 in 150 epochs of 781 steps

    first_temperature: float = setting(1.0, low=1e-3, high=100, help="Temperature of the samples in the first epoch.")
    last_temperature: float = setting(0.03, low=1e-3, high=100, help="Temperature of the samples in the last epoch.")


@dataclass(frozen=True)
class Gdas(Descent):
    """Dong and Yang, "Searching for a Robust Neural Architecture in Four GPU Hours", CVPR 2019."""

    reach: ClassVar[float] = 29.0  # 0.0003 in 250 epochs of 391 steps

    first_temperature: float = setting(10.0, low=1e-3, high=100, help="Temperature of the gradient in the first epoch.")
    last_temperature: float = setting(0.1, low=1e-3, high=100, help="Temperature of the gradient in the last epoch.")


@dataclass(frozen=True)
class PcDarts(Descent):
    """Xu et al., "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search", ICLR 2020."""

    reach: ClassVar[float] = 2.0  # 0.0006 in 35 epochs of 98 steps

    batch_size: int = setting(256, low=2, high=4096, help="Examples per step.")
    learning_rate: float = setting(0.1, low=1e-6, high=10, help="First learning rate of the shared weights.")
    last_learning_rate: float = setting(0.0, low=0, high=10, help="Last learning rate of the shared weights.")
    parts: int = setting(4, low=1, high=16, help="One of so many parts of the channels passes through the operations.")


GRADIENT: dict[str, type[Descent]] = {"darts": Darts, "snas": Snas, "gdas": Gdas, "pc_darts": PcDarts}
ABOUT = {
    "darts": "Mixes all operations of each edge and learns the mixture by gradient. The classic; watch for collapse.",
    "snas": "Samples mixtures that harden as the temperature falls, and learns weights and mixture from one loss.",
    "gdas": "Samples one operation per edge and step: the fastest and leanest of the four.",
    "pc_darts": "As darts on a part of the channels, with learned edges: less memory, larger batches.",
}
LEARNED = ("accuracy", "loss")  # the objectives that stand for what is descended
SPACES = (NasBench201.name, NasNet.name, Chain.name)


def load(settings: Descent, space: SearchSpace) -> float:
    """Return how many networks of the space a step of the supernet computes as much as, roughly."""
    edges, options = 1.0, 1
    match space:
        case NasBench201():
            options = len(space.operations)
        case NasNet():  # all edges into a node, where a network has two
            edges, options = sum(range(2, space.nodes + 2)) / (2 * space.nodes), len(space.operations)
        case Chain():
            options = len(space.kernels) * len(space.activations) * (1 + space.skip)
    match settings:
        case Gdas():
            return edges
        case PcDarts():
            return edges * options / settings.parts
        case Darts(order="second"):
            return 3 * edges * options
    return edges * options


def refuse(name: str, settings: Descent, space: SearchSpace) -> None:
    """Raise Refused where the strategy of that name cannot search a space."""
    if not isinstance(space, NasBench201 | NasNet | Chain):
        raise Refused(
            "{strategy} cannot search the space {space}; it can search {names}.",
            strategy=name,
            space=space.name,
            names=", ".join(SPACES),
        )
    if isinstance(space, NasNet) and space.concat != "all":
        raise Refused(
            "{strategy} joins all nodes of a cell; concat cannot be {concat}.", strategy=name, concat=space.concat
        )
    channels = space.filters[-1] if isinstance(space, Chain) else space.channels
    if isinstance(settings, PcDarts) and channels % settings.parts:
        raise Refused(
            "There are {channels} channels, which cannot be split into {parts} parts.",
            channels=channels,
            parts=settings.parts,
        )

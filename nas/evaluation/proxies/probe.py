"""What a proxy looks at: a network that was never trained, and one batch."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from math import isfinite
from pkgutil import resolve_name

from torch import Tensor

from nas.evaluation.loss import loss as loss_of
from nas.evaluation.networks import Network
from nas.evaluation.proxies.catalogue import PROXIES
from nas.sentences import Refused

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Probe:
    """A network, inputs (batch, ...) as it reads them, their labels (batch), and the loss of logits and labels.

    At least two inputs: batch normalisation takes its statistics from them, as in training.
    """

    network: Network
    inputs: Tensor
    labels: Tensor
    loss: Loss = loss_of

    def copy(self) -> Network:
        """Return a copy of the network to take apart, in training mode."""
        return deepcopy(self.network).train()


def measure(name: str, probe: Probe) -> float:
    """Return a proxy by its name in the catalogue; network and global random state stay as they are.

    Raises Refused where the proxy has nothing to say of such a network.
    """
    value = float(resolve_name(PROXIES[name])(probe))
    if not isfinite(value):
        raise Refused("The proxy {proxy} of this network is {value}, which ranks nothing.", proxy=name, value=value)
    return value


def weights(network: Network) -> list[Tensor]:
    """Return what convolutions and linear layers multiply with; norms and biases have one dimension."""
    return [parameter for parameter in network.parameters() if parameter.ndim > 1]

"""How much memory a network needs while it learns: counted tensor by tensor, the same on every device."""

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter


class _Living(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the bytes of every storage that an operation makes, until it is freed again."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known: set[int] = set()

    def note(self, tensor: Tensor) -> None:
        """Count a tensor's storage, once."""
        storage = tensor.untyped_storage()
        at = id(storage)
        if at in self._known:
            return
        self._known.add(at)
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, at, storage.nbytes())

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Sequence[type], args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Let the operation happen and look at what it made."""
        made = func(*args, **(kwargs or {}))
        for each in tree_iter(made):
            if isinstance(each, Tensor):
                self.note(each)
        return made

    def _forget(self, at: int, size: int) -> None:
        self._known.discard(at)
        self.now -= size


def peak_megabytes(network: nn.Module, inputs: Tensor, loss: Callable[[Tensor], Tensor]) -> float:
    """Return the most that is alive while one batch goes forward and back: weights, gradients, activations, momentum.

    Computed in float32, whatever the training uses; the weights and their gradients are as before in the end.
    """
    kept = {name: value.detach().clone() for name, value in network.state_dict().items()}
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    with _Living() as living:
        for value in (*network.parameters(), *network.buffers(), inputs):
            living.note(value.detach())
        network.train()
        gradients = torch.autograd.grad(loss(network(inputs)), parameters, allow_unused=True)
        momentum = sum(parameter.numel() * parameter.element_size() for parameter in parameters)
    del gradients
    network.load_state_dict(kept)
    return float(living.peak + momentum) / 1e6

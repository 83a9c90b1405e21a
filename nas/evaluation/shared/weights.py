"""The weights that all networks of a space share, whatever the space: a tensor for each layer that can be somewhere.

A layer is known by the node of the graph where it stands and by what it does there, so two networks share it where they
agree in both. Where they differ in width alone, the narrower one uses the first channels of the wider one's tensor:
weight entanglement, Chen et al., "AutoFormer", ICCV 2021, section 3.3; Cai et al., "Once-for-All", ICLR 2020. What a
network gets are slices of the shared tensors, so its gradients land in them by themselves.
"""

from collections.abc import Iterable, Mapping
from math import prod
from typing import NamedTuple
from zlib import crc32

import torch
from torch import Tensor, nn
from torch.func import functional_call

from nas.evaluation.networks import Network, layer_name
from nas.spaces.graph import Node, Shape

MOMENTUM = 0.9


class Place(NamedTuple):
    """Where a parameter of a network lies: the name of the shared tensor, and the shape of the slice in it."""

    key: str
    shape: Shape


class SharedWeights:
    """Grows where a network needs more than there is: a new part begins as that network would begin it.

    `tensors` and `momentum` by the name of the layer, on one device.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.tensors: dict[str, Tensor] = {}
        self.momentum: dict[str, Tensor] = {}
        self._seed, self._device = seed, device

    def of(self, network: Network) -> dict[str, Tensor]:
        """Return what each parameter of a network is here: a slice, through which gradients reach the whole."""
        slices = {}
        for name, place in places(network).items():
            own = network.get_parameter(name)
            slices[name] = _cut(self._room(place, own), place.shape).reshape(own.shape)
        return slices

    def outputs(self, network: Network, inputs: Tensor) -> Tensor:
        """Return what a network computes with the shared weights in the place of its own."""
        computed: Tensor = functional_call(network, self.of(network), (inputs,))
        return computed

    @torch.no_grad()
    def inherit(self, network: Network) -> None:
        """Copy the shared weights into a network."""
        for name, piece in self.of(network).items():
            network.get_parameter(name).copy_(piece)

    @torch.no_grad()
    def descend(self, network: Network, *, rate: float, decay: float, clip: float) -> None:
        """Step along the gradients of a network's loss: SGD with Nesterov momentum; norms and biases do not decay."""
        decays = {place.key: network.get_parameter(name).ndim > 1 for name, place in places(network).items()}
        moved = {key: self.tensors[key] for key in decays if self.tensors[key].grad is not None}
        nn.utils.clip_grad_norm_(moved.values(), clip)
        for key, tensor in moved.items():
            assert tensor.grad is not None
            uphill = tensor.grad + decay * tensor if decays[key] else tensor.grad
            kept = self.momentum.setdefault(key, torch.zeros_like(tensor))
            kept.mul_(MOMENTUM).add_(uphill)
            tensor.sub_(rate * (uphill + MOMENTUM * kept))
            tensor.grad = None

    def restore(self, tensors: Mapping[str, Tensor], momentum: Mapping[str, Tensor]) -> None:
        """Take the place of whatever is here."""
        self.tensors = {key: value.to(self._device).requires_grad_() for key, value in tensors.items()}
        self.momentum = {key: value.to(self._device) for key, value in momentum.items()}

    def _room(self, place: Place, own: Tensor) -> Tensor:
        """Return the shared tensor, large enough for a slice of that shape."""
        held = self.tensors.get(place.key)
        if held is not None and all(there >= asked for there, asked in zip(held.shape, place.shape, strict=True)):
            return held
        shape = place.shape if held is None else tuple(map(max, held.shape, place.shape))
        grown = self._fresh(place.key, shape, own.detach())
        if held is not None:
            _cut(grown, held.shape).copy_(held.detach())
            if place.key in self.momentum:
                before = self.momentum[place.key]
                self.momentum[place.key] = torch.zeros_like(grown)
                _cut(self.momentum[place.key], before.shape).copy_(before)
        self.tensors[place.key] = grown.requires_grad_()
        return self.tensors[place.key]

    def _fresh(self, key: str, shape: Shape, own: Tensor) -> Tensor:
        """Return a tensor spread like a network's own, or of one value throughout where that is, as norms are."""
        spread = float(own.std()) if own.numel() > 1 else 0.0
        # From name and size alone: the order in which networks come must not change where a layer begins.
        draw = torch.Generator().manual_seed(_number(f"{self._seed}/{key}/{shape}"))
        noise = torch.randn(shape, generator=draw).to(self._device)
        return noise * spread if own.ndim > 1 else torch.full(shape, float(own.mean()), device=self._device)


def places(network: Network) -> dict[str, Place]:
    """Return where each parameter of a network lies in the shared weights, by its name in the network."""
    nodes = {node.id: node for node in network.graph.nodes}
    owners = {layer_name(node.id): node for node in network.graph.nodes}
    found = {}
    for name, parameter in network.named_parameters():
        owner, _, rest = name.partition(".")
        part = "norm" if owner not in owners else "layer"
        node = owners[owner if part == "layer" else owner.removesuffix("_norm")]
        source = nodes[node.inputs[0]]
        pixels = _pixels(source, nodes)
        key = f"{node.id} | {_kind(node, source, pixels)} | {part}.{rest}"
        found[name] = Place(key, _folded(node, rest, tuple(parameter.shape), prod(pixels)))
    return found


def _kind(node: Node, source: Node, pixels: Shape) -> str:
    """Say what a node does, but for widths and activation: where that differs, weights would mean another thing."""
    option = node.options
    match node.op:
        case "conv":
            channels = source.shape[0]
            groups = "each channel" if option["groups"] == channels > 1 else f"{option['groups']} groups"
            return f"conv {option['kernel']} {option['dilation']} {groups} {_ends(option)}"
        case "dense" | "classifier" | "output":
            return f"{node.op} of {source.op} {pixels or ''} {_ends(option)}"
        case "patches":
            return f"patches {option['size']}"
        case _:
            return node.op


def _ends(option: Mapping[str, object]) -> str:
    return "norm" if option.get("norm") else "bias" if option.get("bias", True) else "bare"


def _pixels(source: Node, nodes: Mapping[str, Node]) -> Shape:
    """Return height and width of the image that a layer reads as one vector, nothing where it reads none."""
    return nodes[source.inputs[0]].shape[1:] if source.op == "flatten" else ()


def _folded(node: Node, rest: str, shape: Shape, pixels: int) -> Shape:
    """Return the shape in which channels can be cut: they are not the outermost in every layer.

    Queries, keys and values lie one behind the other; of a flattened image all pixels of a channel do.
    """
    if node.op == "attention" and rest.startswith("project."):
        return (3, shape[0] // 3, *shape[1:])
    return (shape[0], shape[1] // pixels, pixels) if pixels > 1 and len(shape) == 2 else shape


def _cut(tensor: Tensor, shape: Iterable[int]) -> Tensor:
    return tensor[tuple(slice(size) for size in shape)]


def _number(text: str) -> int:
    # Python's own hash of a text differs from process to process.
    return crc32(text.encode())

"""The layers that torch has not ready-made.

They need torch alone, under the names `torch`, `Tensor`, `nn` and `F`: an exported network carries their source.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PixelConv(nn.Conv2d):
    """A 1 x 1 convolution with a stride, computed from the pixels that it reads alone.

    The same numbers as the strided one. Of that, oneDNN in torch 2.13 writes past its memory when it computes the
    gradient of the weights on processors without AVX-512, where fewer than 8 channels come in, innermost in memory.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Return (batch, filters, height / stride, width / stride), rounded up."""
        down, right = self.stride
        return F.conv2d(images[:, :, ::down, ::right], self.weight, self.bias, groups=self.groups)


class FactorizedReduce(nn.Module):
    """Halve an image without losing half its pixels: two 1 x 1 convolutions, the second a pixel further on."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.even = nn.Conv2d(channels, filters // 2, 1, bias=False)
        self.odd = nn.Conv2d(channels, filters - filters // 2, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return (batch, filters, height / 2, width / 2), rounded up, of (batch, channels, height, width)."""
        shifted = F.pad(images, (0, 1, 0, 1))[:, :, 1::2, 1::2]
        # Not by a stride: oneDNN's gradient of a strided convolution is not safe, see `PixelConv`.
        return torch.cat((self.even(images[:, :, ::2, ::2]), self.odd(shifted)), 1)


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate that sees the whole image: Hu et al. (2018), equations 2 to 4."""

    def __init__(self, channels: int, squeezed: int, activation: nn.Module) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, squeezed)
        self.activation = activation
        self.excite = nn.Linear(squeezed, channels)

    def forward(self, images: Tensor) -> Tensor:
        """Return images of the same shape (batch, channels, height, width)."""
        gate = self.excite(self.activation(self.squeeze(images.mean((2, 3)))))
        return images * torch.sigmoid(gate)[:, :, None, None]


class Embed(nn.Module):
    """A learned vector for each token id plus one for each position."""

    def __init__(self, vocabulary: int, length: int, width: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(length, width))

    def forward(self, ids: Tensor) -> Tensor:
        """Return tokens (batch, length, width) of ids, int64 (batch, length)."""
        embedded: Tensor = self.tokens(ids)
        return embedded + self.positions


class Patches(nn.Module):
    """An image as tokens, one for each square, with learned positions: Dosovitskiy et al. (2021), equation 1."""

    def __init__(self, channels: int, length: int, size: int, width: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, width, size, stride=size)
        self.positions = nn.Parameter(torch.zeros(length, width))

    def forward(self, images: Tensor) -> Tensor:
        """Return tokens (batch, length, width) of (batch, channels, height, width)."""
        projected: Tensor = self.project(images)
        return projected.flatten(2).transpose(1, 2) + self.positions


def padding_mask(ids: Tensor) -> Tensor:
    """Return which of the ids, int64 (batch, length), are words: all but 0; the first counts even in an empty text."""
    return F.pad(ids[:, 1:] != 0, (1, 0), value=True)


def mean_of_words(tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (batch, width) of those tokens (batch, length, width) that the mask says are words."""
    share = mask.to(tokens.dtype).unsqueeze(2)
    return (tokens * share).sum(1) / share.sum(1)


class Attention(nn.Module):
    """Multi-head self-attention: Vaswani et al. (2017), equation 1 and section 3.2.2."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return tokens of the same shape (batch, length, width); where there is a mask, they read only its words."""
        split = self.project(tokens).unflatten(2, (3, self.heads, -1))  # batch, length, three, heads, width of a head
        query, key, value = split.permute(2, 0, 3, 1, 4)
        read = None if mask is None else mask[:, None, None]
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=read)
        joined: Tensor = self.join(mixed.transpose(1, 2).flatten(2))
        return joined

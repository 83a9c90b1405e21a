"""What random changes do to images, beside plain formulas and torch's own soft labels."""

import math

import pytest
import torch
from torch.nn import functional

from nas.evaluation.augmentation import Augmentation, Mixing, coloured, cut_out, rotated, turned
from nas.evaluation.batches import Batches, Scale
from nas.evaluation.datasets import Part


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", [(3, 9, 9), (1, 8, 8), (3, 6, 10)])
def test_a_turn_by_quarters_is_a_turn_of_the_grid(shape: tuple[int, ...]) -> None:
    images = torch.rand(4, *shape, generator=draw())
    half = turned(images, torch.full((4,), math.pi))
    torch.testing.assert_close(half, images.rot90(2, (2, 3)), atol=1e-4, rtol=0)
    if shape[1] == shape[2]:
        quarter = turned(images, torch.full((4,), math.pi / 2))
        torch.testing.assert_close(quarter, images.rot90(1, (2, 3)), atol=1e-4, rtol=0)


def test_a_round_thing_in_an_oblong_image_stays_round() -> None:
    down, right = torch.meshgrid(torch.arange(21) - 10.0, torch.arange(31) - 15.0, indexing="ij")
    disc = torch.exp(-(down**2 + right**2) / 20)[None, None].expand(5, 1, 21, 31).contiguous()
    torch.testing.assert_close(rotated(disc, 180, draw()), disc, atol=0.02, rtol=0)


def test_colours_change_by_no_more_than_was_asked_and_differ_from_image_to_image() -> None:
    flat = torch.full((64, 3, 4, 4), 100.0)
    changed = coloured(flat, 0.3, draw())
    assert float(changed.min()) >= 70 - 1e-3
    assert float(changed.max()) <= 130 + 1e-3
    assert changed.mean((1, 2, 3)).unique().numel() == 64
    # An image of one grey has neither contrast nor saturation to change.
    torch.testing.assert_close(changed, changed[:, :1, :1, :1].expand_as(changed))
    noise = torch.rand(8, 3, 4, 4, generator=draw())
    torch.testing.assert_close(coloured(noise, 0.0, draw()), noise)


def test_a_square_is_cut_out_anywhere_and_nowhere_else() -> None:
    cut = cut_out(torch.ones(2000, 2, 8, 8), 0.5, draw())[:, 0] == 0
    counts = cut.sum((1, 2))
    assert int(counts.max()) == 16
    assert int(counts.min()) == 4  # a quarter of it, in a corner
    rows, columns = cut.any(2).sum(1), cut.any(1).sum(1)
    assert torch.equal(rows * columns, counts)
    assert bool(cut.any(0).all())


def test_mixed_images_are_learned_with_mixed_labels() -> None:
    images, labels = torch.rand(16, 1, 4, 4, generator=draw()), torch.arange(16) % 5
    mixed = Mixing(0.4, 1, 3)(images)
    torch.testing.assert_close(mixed.images, (1 - mixed.share) * images + mixed.share * images[mixed.partners])
    logits = torch.randn(16, 5, generator=draw())
    one, other = functional.one_hot(labels, 5).float(), functional.one_hot(labels[mixed.partners], 5).float()
    soft = functional.cross_entropy(logits, (1 - mixed.share) * one + mixed.share * other)
    apart = [functional.cross_entropy(logits, these) for these in (labels, labels[mixed.partners])]
    torch.testing.assert_close(torch.lerp(apart[0], apart[1], mixed.share), soft)
    shares = {Mixing(0.4, 1, epoch)(images).share for epoch in range(20)}
    assert len(shares) == 20
    assert all(0 <= share <= 1 for share in shares)


@pytest.mark.parametrize("augment", [True, False])
def test_changes_are_made_only_where_augmentation_is_wanted(augment: bool) -> None:
    part = Part(torch.randint(1, 255, (32, 3, 8, 8), dtype=torch.uint8, generator=draw()), torch.arange(32))
    scale = Scale(torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1))
    much = Augmentation(shift=0.25, rotation=30, colour=0.4, cutout=0.5)
    batches = Batches(part, scale, size=32, seed=3, augment=augment, mirrors=True, augmentation=much)
    ((images, labels),) = batches.epoch(1)
    is_same = torch.equal(images, part.inputs[labels].float())
    assert is_same is not augment
    assert torch.isfinite(images).all()

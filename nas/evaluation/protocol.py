"""What is measured and how: a job, and the evaluator that turns it into events. No torch here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from nas.events import Event
from nas.policy import Bar, Policy
from nas.settings import setting
from nas.spaces.catalogue import SpaceSpec

Stage = Literal["search", "final"]


@dataclass(frozen=True)
class Training:
    """How a network is trained; the same for every candidate of a run and for its baseline."""

    batch_size: int = setting(128, low=2, high=4096, help="Examples per step.")
    optimizer: str = setting("sgd", options=("sgd", "adamw"), help="SGD with Nesterov momentum 0.9, or AdamW.")
    learning_rate: float = setting(
        0.2, low=1e-6, high=10, help="Peak of the schedule: about 0.2 for SGD, 0.002 for AdamW."
    )
    schedule: str = setting(
        "one_cycle",
        options=("one_cycle", "cosine"),
        help="One cycle rises for 30 % of the training; cosine warms up for 5 %. Both then fall to nearly nothing.",
    )
    weight_decay: float = setting(
        5e-4, low=0, high=1, help="Pulls weights towards zero: L2 penalty of SGD, decoupled for AdamW (about 0.05)."
    )
    label_smoothing: float = setting(0.0, low=0, high=0.9, help="Share of the label spread over all classes.")
    gradient_clip: float = setting(5.0, low=0, high=1000, help="Longest gradient of a step; 0: as long as it is.")
    patience: int = setting(
        0,
        low=0,
        high=100_000,
        unit="epochs",
        help="Ends a training when the validation loss has not fallen for so long; 0: never. A single finalist learns "
        "from the validation data too and trains all its epochs.",
    )
    augment: bool = setting(True, images_only=True, help="Change training images at random, as set below.")
    shift: float = setting(
        0.125, images_only=True, low=0, high=0.5, help="Moves an image by up to this share of its side, on black."
    )
    flip: bool = setting(
        True, images_only=True, help="Mirrors every second image of data for which mirrors make sense."
    )
    rotation: float = setting(
        0.0, images_only=True, low=0, high=180, unit="degrees", help="Turns an image by up to so much either way."
    )
    colour: float = setting(
        0.0, images_only=True, low=0, high=0.9, help="Changes brightness, contrast and saturation by up to this share."
    )
    cutout: float = setting(
        0.0, images_only=True, low=0, high=1, help="Side of a square that is cut out of an image, as a share of it."
    )
    mixup: float = setting(
        0.0,
        images_only=True,
        low=0,
        high=10,
        help="Mixes images and labels in pairs: the alpha of mixup, 0.2 for instance; 0: never.",
    )


AUGMENTATION = ("augment", "shift", "flip", "rotation", "colour", "cutout", "mixup")


@dataclass(frozen=True)
class Fidelity:
    """How much less than everything a candidate is trained with in the search, beside its epochs; 1 is everything.

    The final stage always trains with everything.
    """

    share: float = setting(1.0, low=0.01, high=1, help="Share of the training data, the same for every candidate.")
    side: float = setting(1.0, images_only=True, low=0.1, high=1, help="Side of the images over their full side.")
    width: float = setting(1.0, low=0.1, high=1, help="Channels or units of each layer over those of the network.")
    rungs: str = setting(
        "epochs",
        options=("epochs", "share", "side", "width"),
        help="What there is more of on a higher rung of asha and hyperband. Over epochs a training just goes on; over "
        "share and side it begins with the weights of the rung below where all shapes are the same; over width it "
        "begins anew, as none would fit.",
    )

    @property
    def is_whole(self) -> bool:
        """Whether candidates are trained as they are with all the data."""
        return self.share == self.side == self.width == 1

    @property
    def is_reduced(self) -> bool:
        """Whether another network than the candidate itself is trained."""
        return self.side < 1 or self.width < 1


@dataclass(frozen=True)
class Rehearsal:
    """How a table answers in the place of training."""

    seconds_per_epoch: float = setting(
        0.0, low=0, high=3600, unit="s", help="Simulated training time per epoch; 0 answers at once."
    )


@dataclass(frozen=True)
class Scoring:
    """How a network is scored without training."""

    batch_size: int = setting(64, low=2, high=4096, help="Training examples that the proxies look at.")


@dataclass(frozen=True)
class Supernet:
    """How the weights that all networks share are trained, and a network is measured by them."""

    sampling: str = setting(
        "uniform",
        options=("uniform", "proposals"),
        help="Which networks train the shared weights: random ones, beforehand, or after those also each that the "
        "strategy proposes, as ENAS does.",
    )
    epochs: int = setting(
        100, low=0, high=100_000, help="Epochs that random networks train the shared weights, one network per batch."
    )
    steps: int = setting(
        20, low=0, high=10_000, unit="batches", help="Batches that a proposed network trains them, where it does."
    )
    batch_size: int = setting(64, low=2, high=4096, help="Images per step of the shared weights.")
    learning_rate: float = setting(0.1, low=1e-6, high=10, help="First learning rate of the shared weights.")
    weight_decay: float = setting(1e-4, low=0, high=1, help="L2 penalty on the shared weights.")
    recalibration: int = setting(
        10,
        low=1,
        high=1000,
        unit="batches",
        help="Training batches that the statistics of batch normalisation are taken from anew, for each network.",
    )


@dataclass(frozen=True)
class Measuring:
    """How costs are measured."""

    latency_batch: int = setting(1, low=1, high=1024, help="Inputs that are computed at once when latency is measured.")


@dataclass(frozen=True)
class Split:
    """Which images train, validate and test: `seed` cuts validation off training, `valid_share` says how much."""

    dataset: str
    seed: int = 0
    valid_share: float = 0.25


@dataclass(frozen=True)
class Job:
    """One evaluation, complete in itself: any machine with the data can do it.

    stage "search" trains on the training part and measures validation; "final" trains on training and validation
    together and measures the test split once. `workdir` keeps the checkpoint from attempt to attempt. `fingerprint`
    is that of the data when the run began, empty where it is not known yet. `export` asks for the model's files.
    A training scheduled for `epochs` stops after `until` of them, 0 for all, and a later job goes on from there.
    `columns` are the metrics that the run compares by, `peers` the complete curves of the run so far, `bar` what the
    policy's proxy must reach for a training.
    The final stage keeps validation apart from training where it `holds_validation`, and trains for about `seconds` in
    place of `epochs` where those are given.
    `shared` is a folder for what all jobs of a run have in common: the weights of a supernet.
    `strategy` names a search by gradient, which is one evaluation, with its settings; it needs no `choices`.
    """

    space: SpaceSpec
    choices: tuple[int, ...]
    split: Split
    training: Training
    epochs: int
    seed: int
    stage: Stage
    workdir: str
    data_dirs: tuple[str, ...] = ()
    fingerprint: str = ""
    export: bool = False
    title: str = ""
    evaluator: str = "train"
    until: int = 0
    columns: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    peers: tuple[tuple[float, ...], ...] = ()
    bar: Bar | None = None
    rehearsal: Rehearsal = field(default_factory=Rehearsal)
    scoring: Scoring = field(default_factory=Scoring)
    fidelity: Fidelity = field(default_factory=Fidelity)
    measuring: Measuring = field(default_factory=Measuring)
    holds_validation: bool = False
    seconds: float = 0.0
    supernet: Supernet = field(default_factory=Supernet)
    shared: str = ""
    strategy: str = ""
    strategy_settings: Mapping[str, Any] = field(default_factory=dict)


class Evaluator(Protocol):
    """Turns a job into events; the last one is Measured, Derived or Ended. Closing the iterator cancels it."""

    def evaluate(self, job: Job) -> Iterator[Event]:
        """Yield what happens, as it happens; resumes from the checkpoint in `job.workdir` where there is one."""

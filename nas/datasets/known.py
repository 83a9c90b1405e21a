"""The datasets that everybody knows, described; their files are read in `nas.evaluation`."""

from dataclasses import dataclass
from pathlib import Path

from nas.spaces.graph import Task

IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
CIFAR_FILES = (*(f"data_batch_{index}" for index in range(1, 6)), "test_batch", "batches.meta")
CIFAR100_NAMES = (
    "apple, aquarium fish, baby, bear, beaver, bed, bee, beetle, bicycle, bottle, bowl, boy, bridge, bus, butterfly, "
    "camel, can, castle, caterpillar, cattle, chair, chimpanzee, clock, cloud, cockroach, couch, crab, crocodile, cup, "
    "dinosaur, dolphin, elephant, flatfish, forest, fox, girl, hamster, house, kangaroo, keyboard, lamp, lawn mower, "
    "leopard, lion, lizard, lobster, man, maple tree, motorcycle, mountain, mouse, mushroom, oak tree, orange, orchid, "
    "otter, palm tree, pear, pickup truck, pine tree, plain, plate, poppy, porcupine, possum, rabbit, raccoon, ray, "
    "road, rocket, rose, sea, seal, shark, shrew, skunk, skyscraper, snail, snake, spider, squirrel, streetcar, "
    "sunflower, sweet pepper, table, tank, telephone, television, tiger, tractor, train, trout, tulip, turtle, "
    "wardrobe, whale, willow tree, wolf, woman, worm"
)


@dataclass(frozen=True)
class Dataset:
    """What is known of a dataset without reading it; `train` and `test` count rows, validation inside `train`.

    `reader` is the class of torchvision that knows its files, and may download them. `mirrored` says that an image and
    its mirror image are of the same class. `place` is the folder of one that was added.
    """

    name: str
    title: str
    about: str
    task: Task
    train: int
    test: int
    classes: tuple[str, ...]
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    reader: str = ""
    mirrored: bool = False
    place: Path | None = None


DIGIT_NAMES = tuple(str(digit) for digit in range(10))
DATASETS: dict[str, Dataset] = {
    "digits": Dataset(
        "digits",
        "Digits",
        "1,797 handwritten digits of 8 x 8 pixels, part of scikit-learn: nothing to download.",
        Task((1, 8, 8), 10),
        1437,
        360,
        DIGIT_NAMES,
    ),
    "fashion_mnist": Dataset(
        "fashion_mnist",
        "Fashion-MNIST",
        "70,000 pictures of clothes, 28 x 28 pixels, from a local folder.",
        Task((1, 28, 28), 10),
        60000,
        10000,
        ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        IDX_FILES,
        ("FashionMNIST/raw", "fashion-mnist", "."),
        "FashionMNIST",
        mirrored=True,
    ),
    "mnist": Dataset(
        "mnist",
        "MNIST",
        "70,000 handwritten digits, 28 x 28 pixels, from a local folder.",
        Task((1, 28, 28), 10),
        60000,
        10000,
        DIGIT_NAMES,
        IDX_FILES,
        ("MNIST/raw", "mnist"),
        "MNIST",
    ),
    "cifar10": Dataset(
        "cifar10",
        "CIFAR-10",
        "60,000 colour photographs, 32 x 32 pixels, in torchvision's folder layout.",
        Task((3, 32, 32), 10),
        50000,
        10000,
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        CIFAR_FILES,
        ("cifar-10-batches-py",),
        "CIFAR10",
        mirrored=True,
    ),
    "cifar100": Dataset(
        "cifar100",
        "CIFAR-100",
        "60,000 colour photographs of 100 classes, 32 x 32 pixels, in torchvision's folder layout.",
        Task((3, 32, 32), 100),
        50000,
        10000,
        tuple(CIFAR100_NAMES.split(", ")),
        ("train", "test", "meta"),
        ("cifar-100-python",),
        "CIFAR100",
        mirrored=True,
    ),
    "svhn": Dataset(
        "svhn",
        "SVHN",
        "99,289 house numbers photographed in streets, 32 x 32 pixels, in torchvision's files.",
        Task((3, 32, 32), 10),
        73257,
        26032,
        DIGIT_NAMES,
        ("train_32x32.mat", "test_32x32.mat"),
        ("svhn", "SVHN", "."),
        "SVHN",
    ),
}

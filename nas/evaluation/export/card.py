"""What a person should know of an exported model, as Markdown."""

from collections.abc import Mapping

from nas.evaluation.datasets import Data
from nas.evaluation.protocol import Job
from nas.spaces.graph import Graph

# Title, how a value is written, in the order of the table.
ROWS: dict[str, tuple[str, str]] = {
    "accuracy": ("Accuracy", "{:.2f} %"),
    "precision": ("Precision (macro)", "{:.2f} %"),
    "recall": ("Recall (macro)", "{:.2f} %"),
    "f1": ("F1 (macro)", "{:.2f} %"),
    "roc_auc": ("ROC AUC (one against the rest, macro)", "{:.2f} %"),
    "top5_accuracy": ("True class among the five likeliest", "{:.2f} %"),
    "calibration_error": ("Calibration error (15 bins)", "{:.2f} %"),
    "generalisation_gap": ("Generalisation gap: accuracy on training images less that on the test split", "{:.2f} %"),
    "loss": ("Cross-entropy", "{:.4f}"),
    "parameters": ("Parameters", "{:,.0f}"),
    "depth": ("Weighted layers on the longest path", "{:,.0f}"),
    "multiply_adds": ("Multiply-adds for one image", "{:,.0f}"),
    "latency_ms": ("Latency of one image, median", "{:.3f} ms"),
    "latency_p95_ms": ("Latency of one image, 95th percentile", "{:.3f} ms"),
    "images_per_second": ("Images per second, in batches", "{:,.0f}"),
    "training_seconds": ("Training time", "{:.1f} s"),
}
USES: dict[str, str] = {
    "weights.safetensors": "the trained weights; `safetensors.torch.load_file` reads them",
    "model.py": "the network in PyTorch, without any other dependency than torch and safetensors: "
    '`load("weights.safetensors")`, then `network(preprocess(pixels))`',
    "model.onnx": "the same network with its preprocessing: input `pixels`, float32 (batch, channels, height, width), "
    "raw values; output `logits`",
    "architecture.json": "the architecture: space, settings, decisions and the graph",
    "model_card.md": "this page",
}
PAGE = """# {title}

An image classifier for {dataset}, found by neural architecture search and trained from scratch.

## Files
{files}

{onnx}

## Input and output
Images of {channels} x {height} x {width} (channels, height, width), raw pixel values from 0 to {peak}. The network
reads (pixels / {peak} - mean) / std with mean {mean} and std {std}; `preprocess` in `model.py` does so.
It answers one logit per class: {classes}.

## Test
Measured once, on {test:,} test images that neither the search nor the training saw.

| | |
|---|---|
{rows}

Latency and speed were measured on {device}.

## Data and training
- Data: {dataset}, {train:,} training and validation images; split seed {split_seed}, validation share {valid_share:g}.
- Fingerprint of images, labels and split: `{fingerprint}`
- Space: {space}, choices {choices}; the architecture was chosen on validation images alone.
- {epochs} epochs on training and validation images together, seed {seed}, batches of {batch_size}, SGD with Nesterov
  momentum 0.9, one-cycle peak learning rate {learning_rate:g}, weight decay {weight_decay:g}, label
  smoothing {label_smoothing:g}, augmentation {augment}.

## Limits
The network knows images like those of {dataset}: same size, same framing, one of {outputs} classes. It always
answers one of them, also for an image of something else. The numbers above are of one training with one
seed; other seeds differ.
"""


def card(
    job: Job, graph: Graph, data: Data, metrics: Mapping[str, float], *, device: str, files: tuple[str, ...], onnx: str
) -> str:
    """Return the page; `onnx` is the sentence about that file's check."""
    known = [(name, *ROWS[name]) for name in ROWS if name in metrics]
    channels, height, width = graph.task.input_shape
    return PAGE.format(
        title=" ".join(job.title.split()) or f"Network for {data.known.title}",
        dataset=data.known.title,
        files="\n".join(f"- `{name}`: {USES[name]}." for name in files),
        onnx=onnx,
        channels=channels,
        height=height,
        width=width,
        peak=data.peak,
        mean=", ".join(str(value) for value in data.mean),
        std=", ".join(str(value) for value in data.std),
        classes=", ".join(data.known.classes),
        outputs=len(data.known.classes),
        test=len(data.test),
        rows="\n".join(f"| {title} | {form.format(metrics[name])} |" for name, title, form in known),
        device=device,
        train=len(data.train) + len(data.valid),
        split_seed=job.split.seed,
        valid_share=job.split.valid_share,
        fingerprint=data.fingerprint,
        space=job.space.kind,
        choices=", ".join(str(choice) for choice in job.choices) or "none: it is one hand-made network",
        epochs=job.epochs,
        seed=job.seed,
        batch_size=job.training.batch_size,
        learning_rate=job.training.learning_rate,
        weight_decay=job.training.weight_decay,
        label_smoothing=job.training.label_smoothing,
        augment="on" if job.training.augment else "off",
    )

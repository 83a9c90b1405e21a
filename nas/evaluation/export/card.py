"""What a person should know of an exported model, as Markdown."""

from collections.abc import Mapping, Sequence

from nas.evaluation.datasets import Data
from nas.evaluation.protocol import Job
from nas.spaces.graph import Graph, Task
from nas.speeds import FILE, Speed

# Title, how a value is written, in the order of the table.
ROWS: dict[str, tuple[str, str]] = {
    "accuracy": ("Accuracy", "{:.2f} %"),
    "precision": ("Precision (macro)", "{:.2f} %"),
    "recall": ("Recall (macro)", "{:.2f} %"),
    "f1": ("F1 (macro)", "{:.2f} %"),
    "roc_auc": ("ROC AUC (one against the rest, macro)", "{:.2f} %"),
    "top5_accuracy": ("True class among the five likeliest", "{:.2f} %"),
    "calibration_error": ("Calibration error (15 bins)", "{:.2f} %"),
    "rmse": ("Root mean squared error", "{:,.4g}"),
    "mae": ("Mean absolute error", "{:,.4g}"),
    "r2": ("R²", "{:.4f}"),
    "generalisation_gap": (
        "Generalisation gap: accuracy (of numbers R²) on training data less that on the test split",
        "{:.2f}",
    ),
    "loss": ("Loss: cross-entropy, or of numbers the mean squared error once standardised", "{:.4f}"),
    "parameters": ("Parameters", "{:,.0f}"),
    "depth": ("Weighted layers on the longest path", "{:,.0f}"),
    "multiply_adds": ("Multiply-adds for one input", "{:,.0f}"),
    "latency_ms": ("Latency, median", "{:.3f} ms"),
    "latency_p95_ms": ("Latency, 95th percentile", "{:.3f} ms"),
    "images_per_second": ("Inputs per second, in batches", "{:,.0f}"),
    "training_seconds": ("Training time", "{:.1f} s"),
    "file_kb": ("Size of the weights", "{:,.1f} kB"),
    "peak_memory_mb": ("Peak memory of a training step", "{:,.1f} MB"),
    "energy_joules": ("Energy of the training", "{:,.0f} J"),
    "onnx_latency_ms": ("ONNX: latency in onnxruntime on one thread, median", "{:.3f} ms"),
    "onnx_latency_p95_ms": ("ONNX: 95th percentile", "{:.3f} ms"),
    "onnx_file_kb": ("ONNX: size of the file", "{:,.1f} kB"),
    "int8_accuracy": ("8-bit ONNX: accuracy", "{:.2f} %"),
    "int8_rmse": ("8-bit ONNX: root mean squared error", "{:,.4g}"),
    "int8_latency_ms": ("8-bit ONNX: latency in onnxruntime on one thread, median", "{:.3f} ms"),
    "int8_latency_p95_ms": ("8-bit ONNX: 95th percentile", "{:.3f} ms"),
    "int8_file_kb": ("8-bit ONNX: size of the file", "{:,.1f} kB"),
}
USES: dict[str, str] = {
    "weights.safetensors": "the trained weights; `safetensors.torch.load_file` reads them",
    "model.py": "the network in PyTorch, without any other dependency than torch and safetensors: "
    '`load("weights.safetensors")`, then `network(preprocess(...))`',
    "model.onnx": "the same network with its preprocessing, which reads raw values",
    "model-int8.onnx": "the same in 8-bit whole numbers, quantised by onnxruntime: smaller, often faster, "
    "a little less exact",
    "model.pt2": 'the same as a program of torch.export: `torch.export.load("model.pt2").module()(raw)`',
    "vocabulary.json": "the words that the network knows, by id; `encode` in `model.py` reads it",
    FILE: "how long a batch takes, by its size, in torch and in onnxruntime",
    "architecture.json": "the architecture: space, settings, decisions and the graph",
    "model_card.md": "this page, as text",
    "model_card.html": "this page, for a browser",
}
OPTIMIZERS = {"sgd": "SGD with Nesterov momentum 0.9", "adamw": "AdamW"}
SCHEDULES = {"one_cycle": "one-cycle", "cosine": "cosine"}
PAGE = """# {title}

{what} for {dataset}, found by neural architecture search and trained from scratch.

## Files
{files}

{onnx}

## Input and output
{reads}
{answers}

## Test
Each file was measured once on {test:,} test {inputs} that neither the search nor the training saw.

| | |
|---|---|
{rows}

Latency, of {batch}, and speed were measured on {device}.
{speed}
## Data and training
- Data: {dataset}, {train:,} training and validation {inputs}; split seed {split_seed}, validation share
  {valid_share:g}.
- Fingerprint of {inputs}, labels and split: `{fingerprint}`
- Space: {space}, choices {choices}; the architecture was chosen on validation {inputs} alone.
- {epochs} on {learned}, seed {seed}, batches of {batch_size}, {optimizer},
  {schedule} peak learning rate {learning_rate:g}, weight decay {weight_decay:g}, label smoothing {label_smoothing:g},
  augmentation {augment}.

## Limits
The network knows {inputs} like those of {dataset}. {bound}
The numbers above are of one training with one seed; other seeds differ.
"""

SPEED = """
## Speed
Time that a batch takes in float32, measured when these files were written; other work on the machine slows it.

| Computed by | Inputs at once | Median | 95th percentile | Inputs per second |
|---|---|---|---|---|
{rows}
"""
TIMED = "| {one.place} | {one.batch} | {one.median_ms:.3f} ms | {one.p95_ms:.3f} ms | {one.per_second:,.0f} |"
WHATS = {
    ("image", "classes"): "An image classifier",
    ("image", "number"): "A network that tells a number of an image",
    ("tabular", "classes"): "A classifier of table rows",
    ("tabular", "number"): "A network that tells a number of a table row",
    ("text", "classes"): "A text classifier",
    ("text", "number"): "A network that tells a number of a text",
}
INPUTS = {"image": "images", "tabular": "rows", "text": "texts"}
READS = {
    "image": "Images of {shape} (channels, height, width), raw pixel values from 0 to {peak}. The network\n"
    "reads (pixels / {peak} - mean) / std with mean {mean} and std {std}; `preprocess` in `model.py` does so.",
    "tabular": "Rows of {shape} features. The network reads (feature - mean) / std of each;\n"
    "`preprocess` in `model.py` does so.",
    "text": "Texts of {shape} token ids from 0 to {last}: 0 fills up a shorter text, 1 stands for unknown words.",
}
# By whether validation was kept apart, which tells several finalists apart.
LEARNED = {
    False: "training and validation {inputs} together",
    True: "training {inputs} alone, as validation had to tell the finalists apart",
}
BOUNDS = {
    "classes": "It always answers one of {outputs} classes, also for something else.",
    "number": "Far from the numbers it has seen it tells nothing reliable.",
}


def _reads(task: Task, data: Data) -> str:
    return READS[task.kind].format(
        shape=" x ".join(map(str, task.input_shape)),
        peak=data.peak,
        mean=", ".join(str(value) for value in data.mean),
        std=", ".join(str(value) for value in data.std),
        last=task.vocabulary - 1,
    )


def _epochs(job: Job) -> str:
    told = "1 epoch" if job.epochs == 1 else f"{job.epochs} epochs"
    return f"At most {told}" if job.training.patience and job.holds_validation else told


def _answers(task: Task, data: Data) -> str:
    if task.goal == "classes":
        return f"It answers one logit per class: {', '.join(data.known.classes)}."
    return f"It answers a number, standardised: times {data.unit:g} plus {data.centre:g} it is in its own unit."


def _speed(speeds: Sequence[Speed]) -> str:
    return SPEED.format(rows="\n".join(TIMED.format(one=one) for one in speeds)) if speeds else ""


def card(
    job: Job,
    graph: Graph,
    data: Data,
    metrics: Mapping[str, float],
    *,
    device: str,
    files: tuple[str, ...],
    onnx: str,
    speeds: Sequence[Speed] = (),
) -> str:
    """Return the page; `onnx` is the sentence about that file's check."""
    known = [(name, *ROWS[name]) for name in ROWS if name in metrics]
    task = graph.task
    listed = [*files, "model_card.html"]  # made of this text where the final stage ends
    return PAGE.format(
        title=" ".join(job.title.split()) or f"Network for {data.known.title}",
        dataset=data.known.title,
        files="\n".join(f"- `{name}`: {USES[name]}." for name in listed),
        onnx=onnx,
        what=WHATS[task.kind, task.goal],
        inputs=INPUTS[task.kind],
        reads=_reads(task, data),
        answers=_answers(task, data),
        bound=BOUNDS[task.goal].format(outputs=len(data.known.classes)),
        test=len(data.test),
        rows="\n".join(f"| {title} | {form.format(metrics[name])} |" for name, title, form in known),
        device=device,
        speed=_speed(speeds),
        batch="one input" if job.measuring.latency_batch == 1 else f"{job.measuring.latency_batch} inputs at once",
        train=len(data.train) + len(data.valid),
        split_seed=job.split.seed,
        valid_share=job.split.valid_share,
        fingerprint=data.fingerprint,
        space=job.space.kind,
        choices=", ".join(str(choice) for choice in job.choices) or "none: it is one hand-made network",
        epochs=_epochs(job),
        learned=LEARNED[job.holds_validation].format(inputs=INPUTS[task.kind]),
        optimizer=OPTIMIZERS[job.training.optimizer],
        schedule=SCHEDULES[job.training.schedule],
        seed=job.seed,
        batch_size=job.training.batch_size,
        learning_rate=job.training.learning_rate,
        weight_decay=job.training.weight_decay,
        label_smoothing=job.training.label_smoothing,
        augment="on" if job.training.augment else "off",
    )

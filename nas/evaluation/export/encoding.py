"""How rows and texts as people have them become what a network reads, as source that goes with the model."""

import inspect
import json
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any

from nas.datasets import features, words
from nas.datasets.added import find, vocabulary
from nas.datasets.known import Dataset

VOCABULARY = "vocabulary.json"
OF_ROWS = '''COLUMNS = (
{columns}
)
MISSING = {missing}


{functions}


def encode(rows: Sequence[Mapping[str, str]]) -> Tensor:
    """Return features (count, features) of rows: what stands in each column, by its name."""
    return torch.tensor([features(row, COLUMNS) for row in rows])'''
OF_TEXTS = '''LENGTH = {length}
PAD, UNKNOWN = {pad}, {unknown}
WORD = re.compile(r"{word}")


{functions}


def encode(texts: Sequence[str], path: str = "{file}") -> Tensor:
    """Return token ids (count, length) of texts, by the vocabulary in a file."""
    vocabulary = {{word: id for id, word in enumerate(json.loads(Path(path).read_text(encoding="utf-8")))}}
    return torch.tensor([ids(text, vocabulary, LENGTH) for text in texts])'''


@dataclass(frozen=True)
class Encoding:
    """The source, what it imports, and the files that it reads, by name."""

    imports: str = ""
    source: str = ""
    files: tuple[tuple[str, str], ...] = ()


def encoding(known: Dataset) -> Encoding:
    """Return the encoding of an added table or text; images, and data that nobody added, have none."""
    one = find(known.name) if known.place else None
    if one is None:
        return Encoding()
    if one.columns and known.task.kind == "tabular":
        columns = "\n".join(f"    {astuple(column)!r}," for column in one.columns)
        functions = _sources(features.is_missing, features.features)
        source = OF_ROWS.format(columns=columns, missing=sorted(features.MISSING), functions=functions)
        return Encoding("from collections.abc import Mapping, Sequence\n\n", source)
    if known.task.kind == "text":
        functions = _sources(words.words, words.ids)
        source = OF_TEXTS.format(
            length=known.task.input_shape[0],
            pad=words.PAD,
            unknown=words.UNKNOWN,
            word=words.WORD.pattern,
            functions=functions,
            file=VOCABULARY,
        )
        imports = "import json\nimport re\nfrom collections.abc import Mapping, Sequence\nfrom pathlib import Path\n\n"
        return Encoding(imports, source, ((VOCABULARY, json.dumps([*vocabulary(known)], ensure_ascii=False)),))
    return Encoding()


def _sources(*functions: Callable[..., Any]) -> str:
    return "\n\n".join(inspect.getsource(function) for function in functions).rstrip()

"""The form of a new dataset: a file, what kind of data it holds, and what people call it."""

from pathlib import Path
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from nas.tables.writing import name_of
from searches.forms.named import Named
from searches.models import Upload
from searches.models.upload import SecondFile

ENDINGS = {".zip": "images", ".csv": "table", ".tsv": "text"}
GOALS = [
    ("", _("Whatever the column holds")),
    ("classes", _("Classes")),
    ("number", _("Numbers")),
]
# Which fields belong to which kind; the others are neither shown nor read.
FIELDS = {"images": ("side",), "table": ("target", "goal"), "text": ()}


class UploadForm(Named):
    """Reads the files themselves, or, where they come in pieces, names and sizes alone; `asked` is what it comes to."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ",".join(ENDINGS)}),
    )
    file_name = forms.CharField(required=False, max_length=255, widget=forms.HiddenInput)
    size = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    test = forms.FileField(
        label=_("File of the test part"),
        required=False,
        help_text=_("A second file of the same form, if you have made that split yourself; otherwise none is needed."),
        widget=forms.FileInput(attrs={"accept": ",".join(ENDINGS)}),
    )
    test_name = forms.CharField(required=False, max_length=255, widget=forms.HiddenInput)
    test_size = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=_("What is in it"), choices=Upload.Kind.choices, required=False)
    target = forms.CharField(
        label=_("Column to predict"),
        required=False,
        max_length=200,
        help_text=_("As its heading says; empty: the last column."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    goal = forms.ChoiceField(label=_("It holds"), required=False, choices=GOALS)
    side = forms.IntegerField(
        label=_("Side of the images"),
        required=False,
        min_value=8,
        max_value=512,
        help_text=_("In pixels; every image is brought to this size. Empty: chosen from the images."),
    )

    def clean(self) -> dict[str, Any]:
        """Recognise the kind by the file's ending where none was chosen, and make a name out of the file's."""
        said = super().clean() or {}
        sent = said.get("file")
        file_name = Path((sent.name if sent else said.get("file_name")) or "").name
        if not file_name:
            self.add_error("file", _("Choose a file."))
            return said
        ending = Path(file_name).suffix.lower()
        kind = said.get("kind") or ENDINGS.get(ending, "")
        if ENDINGS.get(ending) is None or (kind in ("images",)) != (ending == ".zip"):
            self.add_error("file", _("Images come as a .zip, a table as a .csv, sentences as a .tsv."))
        test = self._test(said, ending)
        size = sent.size if sent else said.get("size") or 0
        said |= {
            "file_name": file_name,
            "size": size + (test.size if test else 0),
            "second": test,
            "kind": kind,
            "name": said.get("name") or name_of(file_name),
        }
        said["title"] = said.get("title") or Path(file_name).stem
        return said

    def _test(self, said: dict[str, Any], ending: str) -> SecondFile | None:
        sent = said.get("test")
        name = Path((sent.name if sent else said.get("test_name")) or "").name
        if not name:
            return None
        if Path(name).suffix.lower() != ending:
            self.add_error("test", _("It must end in {ending}, as the first file does.").format(ending=ending))
        return SecondFile(name, (sent.size if sent else said.get("test_size")) or 0)

    @property
    def asked(self) -> dict[str, Any]:
        """What `searches.receiving.begin` takes of a form that is valid."""
        said = self.cleaned_data
        options = {name: said[name] for name in FIELDS[said["kind"]] if said[name]}
        options |= {"test": [*said["second"]]} if said["second"] else {}
        return {"name": said["name"], "title": said["title"], "kind": said["kind"], "options": options}

    def fields_of_kinds(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the fields that only one kind needs, by kind."""
        return [(kind, [self[name] for name in names]) for kind, names in FIELDS.items() if names]

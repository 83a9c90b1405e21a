"""What people call the content of a file that they send, and the short name that it is found by."""

from django import forms
from django.utils.translation import gettext_lazy as _


class Named(forms.Form):
    """Title and short name; what is left empty comes from the name of the file."""

    name = forms.CharField(
        label=_("Short name"),
        required=False,
        max_length=60,
        help_text=_("Small letters, digits, dashes and underscores; empty: from the name of the file."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    title = forms.CharField(
        label=_("Title"),
        required=False,
        max_length=120,
        help_text=_("What people call it; empty: the name of the file."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

"""The picture of ROC curves in the reader's language."""

from collections.abc import Sequence

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from nas.roc import Points, picture

Curve = tuple[int, str, Points]  # as which line it is drawn, and what it is called


def roc(curves: Sequence[Curve]) -> SafeString:
    """Return the SVG of curves of points (false positive rate, true positive rate), from 0 to 1 each."""
    drawn = picture(
        [(line, points) for line, _name, points in curves],
        label=_("ROC curves of {names}").format(names=", ".join(name for _line, name, _points in curves)),
        across=_("false positive rate (%)"),
        up=_("true positive rate (%)"),
    )
    return SafeString(drawn)  # its texts are escaped there

"""Numbers and states in templates."""

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from nas.sentences import Sentence
from searches import figures
from searches.candidates import ORIGINS
from searches.drawing.text import short
from searches.say import label, option
from searches.say import say as in_words

register = template.Library()

TONES = {
    "queued": "wait",
    "running": "active",
    "pausing": "wait",
    "paused": "wait",
    "stopping": "wait",
    "completed": "good",
    "measured": "good",
    "failed": "bad",
    "receiving": "active",
    "checking": "active",
    "ready": "good",
    "refused": "bad",
    "removing": "wait",
}

register.filter("count", short)
register.filter("duration", figures.duration)
register.filter("metric_title", figures.title)
register.filter("metric_brief", lambda figure: figure.brief or figure.title)
register.filter("label", label)
register.filter("option", option)


@register.filter
def metric(value: object, figure: str | figures.Figure) -> str:
    """Write a value of a metric, given by its name or its figure; a template passes text where there is no value."""
    return figures.write(figure, float(value) if isinstance(value, int | float) else None)


@register.filter
def whole(value: int) -> str:
    """Write a whole number with its thousands apart."""
    return str(number_format(value, force_grouping=True))


@register.simple_tag
def state(status: str, label: str) -> SafeString:
    """Draw the pill of a status."""
    return format_html('<span class="pill {}">{}</span>', TONES.get(status, ""), label)


@register.filter
def say(sentence: Sentence | None) -> str:
    """Write a sentence of the engine in the reader's language."""
    return in_words(sentence) if sentence else ""


@register.filter
def origin(name: str) -> str:
    """Write how a candidate was made; a strategy's own word where it is no common one."""
    return str(ORIGINS.get(name, name))

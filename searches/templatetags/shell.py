"""Parts of the frame around every page: the navigation and the icons."""

from typing import Any

from django import template
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

register = template.Library()

PAGES = (
    ("dashboard", "home", _("Dashboard")),
    ("new-search", "plus", _("New search")),
    ("searches", "trend", _("Searches")),
    ("races", "flag", _("Races")),
    ("datasets", "database", _("Datasets")),
    ("tables", "table", _("Tables")),
)


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> list[dict[str, Any]]:
    """List the pages of the side bar that exist; the current one is that whose address begins this page's."""
    request: HttpRequest | None = context.get("request")
    path = request.path if request else ""
    found = []
    for name, icon_name, title in PAGES:
        try:
            found.append((reverse(name), name, icon_name, title))
        except NoReverseMatch:
            continue
    under = [href for href, *_ in found if path == href or (href != "/" and path.startswith(href))]
    current = max(under, key=len, default="")
    return [
        {"href": href, "name": name, "icon": icon_name, "title": title, "current": href == current}
        for href, name, icon_name, title in found
    ]


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw a symbol of the sprite; the words beside it say what it means."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("icons.svg"), name)

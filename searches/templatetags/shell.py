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
    ("datasets", "database", _("Datasets")),
)


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> list[dict[str, Any]]:
    """List the pages of the side bar that exist; the current one is that whose address begins this page's."""
    request: HttpRequest | None = context.get("request")
    links = []
    for name, icon_name, title in PAGES:
        try:
            links.append({"name": name, "icon": icon_name, "title": title, "href": reverse(name)})
        except NoReverseMatch:
            continue
    path = request.path if request else ""
    under = [link for link in links if path == link["href"] or (link["href"] != "/" and path.startswith(link["href"]))]
    current = max(under, key=lambda link: len(link["href"]), default=None)
    return [{**link, "current": link is current} for link in links]


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw a symbol of the sprite; the words beside it say what it means."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("icons.svg"), name)

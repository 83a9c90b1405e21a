"""Signing in by a one-time link."""

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from nasweb.signin import redeem


@login_not_required
@never_cache
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign the bearer of the token in; a used or old one gets a page that says how to get another."""
    if request.method != "GET":  # A HEAD of some link preview must not use the link up.
        return HttpResponse(status=405, headers={"Allow": "GET"})
    user = redeem(token)
    if user is None:
        if request.user.is_authenticated:
            return redirect("/")
        return render(request, "registration/link_used.html", status=403)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("/")

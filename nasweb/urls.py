"""Addresses of the project; the application's own are in `searches.urls`."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.i18n import set_language

from nasweb.signin import PATH
from nasweb.views.entrance import sign_in_by_link
from nasweb.views.health import health

handler500 = "nasweb.views.errors.server_error"

urlpatterns = [
    path("health", health, name="health"),
    path("language/", login_not_required(set_language), name="set_language"),
    path(PATH, LoginView.as_view(redirect_authenticated_user=True), name="sign-in"),
    path(f"{PATH}<str:token>/", sign_in_by_link, name="sign-in-link"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("", include("searches.urls")),
]

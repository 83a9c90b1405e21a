import re
from datetime import timedelta
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from nasweb.models import SignInLink
from nasweb.signin import ensure_admin, make_token, redeem, sign_in_path

pytestmark = pytest.mark.django_db


def test_the_first_start_makes_an_admin_without_a_password() -> None:
    admin = ensure_admin()
    assert admin == ensure_admin()
    assert admin.is_superuser
    assert admin.is_staff
    assert not admin.has_usable_password()


def test_a_link_signs_in_once(client: Client) -> None:
    path = sign_in_path(ensure_admin())
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.session["_auth_user_id"]

    again = Client().get(path)
    assert again.status_code == 403
    assert "manage.py signin" in again.content.decode()


def test_a_used_link_in_a_browser_that_is_signed_in_leads_to_the_pages(client: Client) -> None:
    path = sign_in_path(ensure_admin())
    client.get(path)
    assert client.get(path).headers["Location"] == "/"


def test_a_link_is_too_old_after_a_day() -> None:
    token = make_token(ensure_admin())
    with mock.patch("django.core.signing.time.time", return_value=timezone.now().timestamp() + 24 * 3600 + 1):
        assert redeem(token) is None


def test_a_preview_of_a_link_does_not_use_it_up(client: Client) -> None:
    path = sign_in_path(ensure_admin())
    assert client.head(path).status_code == 405
    assert client.get(path).status_code == 302


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: "x" + token, lambda token: "x"])
def test_a_changed_link_signs_nobody_in(client: Client, change: "object") -> None:
    token = change(make_token(ensure_admin()))  # type: ignore[operator]
    assert client.get(f"/sign-in/{token}/").status_code == 403


def test_a_link_of_somebody_switched_off_signs_nobody_in() -> None:
    user = User.objects.create_user("lin")
    token = make_token(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert redeem(token) is None


def test_the_table_holds_no_token_and_forgets_old_links() -> None:
    token = make_token(ensure_admin())
    link = SignInLink.objects.get()
    assert re.fullmatch("[0-9a-f]{64}", link.digest)
    assert token not in link.digest
    SignInLink.objects.update(created_at=timezone.now() - timedelta(days=3))
    make_token(ensure_admin())
    assert SignInLink.objects.count() == 1


def test_a_password_signs_in_too(client: Client) -> None:
    User.objects.create_user("lin", password="correct horse")
    page = client.get("/sign-in/")
    assert page.status_code == 200
    assert "manage.py signin" in page.content.decode()
    wrong = client.post("/sign-in/", {"username": "lin", "password": "wrong"})
    assert "No account has that name and password" in wrong.content.decode()
    right = client.post("/sign-in/", {"username": "lin", "password": "correct horse"})
    assert right.status_code == 302


@pytest.mark.parametrize("path", ["/", "/searches/", "/datasets/", "/searches/new/", "/searches/1/"])
def test_pages_are_for_people_who_signed_in(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in/?next=")


def test_every_page_carries_a_policy_with_a_fresh_nonce(client: Client) -> None:
    policies = [client.get("/sign-in/").headers["Content-Security-Policy"] for _ in range(2)]
    nonces = [re.findall("'nonce-([^']+)'", policy) for policy in policies]
    assert nonces[0] != nonces[1]
    assert "unsafe-eval" not in policies[0]
    assert "script-src 'self' 'nonce-" in policies[0]
    page = client.get("/sign-in/")
    nonce = re.findall("'nonce-([^']+)'", page.headers["Content-Security-Policy"])[0]
    assert f'nonce="{nonce}"' in page.content.decode()


def test_health_tells_of_database_and_broker(client: Client) -> None:
    answer = client.get("/health")
    assert answer.json() == {"ok": True, "database": True, "broker": True, "torch": answer.json()["torch"]}


def test_plotly_comes_from_its_wheel(client: Client) -> None:
    answer = client.get("/static/vendor/plotly/plotly.min.js")
    assert answer.status_code == 200
    assert sum(len(piece) for piece in answer) > 1_000_000  # type: ignore[arg-type]
    assert client.get("/static/vendor/plotly/../../settings.py").status_code in {302, 404}

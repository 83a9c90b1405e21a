"""Links that sign a person in once, within a day."""

from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe

from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.utils import timezone

from nasweb.models import SignInLink

LIFETIME = timedelta(hours=24)
SALT = "nasweb.signin"
ADMIN = "admin"
# Known here and not looked up, so that the supervisor need not load every page.
PATH = "sign-in/"


def make_token(user: User) -> str:
    """Return a fresh token that signs this person in once."""
    token = signing.dumps([user.pk, token_urlsafe(16)], salt=SALT, compress=False)
    with transaction.atomic():
        SignInLink.objects.filter(created_at__lt=timezone.now() - 2 * LIFETIME).delete()
        SignInLink.objects.create(digest=_digest(token))
    return token


def sign_in_path(user: User) -> str:
    """Return the path of a page that signs this person in once."""
    return f"/{PATH}{make_token(user)}/"


def redeem(token: str) -> User | None:
    """Return the person whom the token signs in, and use it up; None where it is used, too old, or not ours."""
    try:
        user_id, _ = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    # One guarded UPDATE: of two browsers that open the link at the same moment, one gets in.
    used = SignInLink.objects.filter(digest=_digest(token), used_at=None).update(used_at=timezone.now())
    return user if used else None


def ensure_admin() -> User:
    """Return the user admin; the first start makes it, without a password, so that only links sign it in."""
    user, made = User.objects.get_or_create(username=ADMIN, defaults={"is_staff": True, "is_superuser": True})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()

"""Rows of the project itself: links that sign a person in once."""

from django.db import models


class SignInLink(models.Model):
    """A link that was given out; `digest` is the SHA-256 of its token, so the table opens no door."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M} {'used' if self.used_at else 'open'}"

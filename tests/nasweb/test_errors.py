"""No traceback reaches a browser: a sentence does, in both languages, without the database."""

import pytest
from django.db import OperationalError
from django.test import RequestFactory
from django.utils import translation

from nas.sentences import Refused
from nasweb.middleware import Sentences
from nasweb.views.errors import database_error, server_error


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        ("database or disk is full", 507, "is full, and nothing was saved"),
        ("database is locked", 503, "could not be used (database is locked), and nothing was saved"),
        ("connection to server at 10.0.0.9 failed", 503, "Try again in a moment"),
    ],
)
def test_a_database_that_fails_is_told_in_a_sentence(told, status, words):
    answer = Sentences(lambda request: None).process_exception(RequestFactory().get("/"), OperationalError(told))
    assert answer.status_code == status
    assert words in answer.content.decode()


def test_other_exceptions_are_left_to_django():
    assert Sentences(lambda request: None).process_exception(RequestFactory().get("/"), ValueError("x")) is None


def test_a_refusal_that_no_form_could_show_is_told_in_its_own_sentence():
    error = Refused("There is no dataset {name}; the nearest are {names}.", name="pets", names="digits")
    answer = Sentences(lambda request: None).process_exception(RequestFactory().get("/"), error)
    assert answer.status_code == 409
    assert "There is no dataset pets; the nearest are digits." in answer.content.decode()


def test_the_page_of_an_unknown_error_names_no_code():
    answer = server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "Traceback" not in answer.content.decode()


def test_the_sentence_is_in_the_language_of_the_reader():
    with translation.override("zh-hans"):
        page = database_error(RequestFactory().get("/"), OperationalError("disk is full")).content.decode()
    assert 'lang="zh-hans"' in page
    assert "is full" not in page

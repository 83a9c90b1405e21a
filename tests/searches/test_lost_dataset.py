"""What is left of a search whose dataset's folder somebody removed by hand."""

import shutil

import pytest
from django.urls import reverse

from nas.evaluation.protocol import Split
from searches import lifecycle
from searches.advance import advance


@pytest.fixture
def orphan(make_run, make_dataset, dataset_home, worker, work):
    """A search that completed before its dataset went away."""
    make_dataset()
    run = make_run(split=Split("pets"))
    lifecycle.start(run)
    advance(run.pk)
    for _ in range(20):
        work(run)
    run.refresh_from_db()
    assert run.is_over
    shutil.rmtree(dataset_home / "pets")
    return run


@pytest.mark.parametrize("place", ["dashboard", "searches"])
def test_pages_of_all_searches_still_list_it(person, orphan, place):
    answer = person.get(reverse(place))
    assert answer.status_code == 200
    assert orphan.name in answer.content.decode()


def test_its_own_page_says_what_is_missing(person, orphan):
    answer = person.get(orphan.get_absolute_url())
    assert answer.status_code == 409
    assert "There is no dataset pets; the nearest are" in answer.content.decode()


def test_it_can_still_be_deleted(person, orphan):
    person.post(reverse("run-delete", args=[orphan.pk]), {"name": orphan.name})
    assert not type(orphan).objects.filter(pk=orphan.pk).exists()

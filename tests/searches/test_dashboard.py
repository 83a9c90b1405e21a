"""Dashboard, list and datasets: what is shown of many searches, and what can be done with one from there."""

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.urls import reverse

from searches import lifecycle
from searches.advance import advance
from searches.demo import DEMO
from searches.models import Run
from searches.samples import samples


@pytest.fixture
def person(client, alice):
    cache.clear()
    client.force_login(alice)
    return client


@pytest.fixture
def finished(make_run, worker, work, alice):
    """Return a run whose search stage was measured, called off after it."""
    run = make_run()
    Run.objects.filter(pk=run.pk).update(owner=alice, name="the first")
    lifecycle.start(run)
    advance(run.pk)
    work(run)
    lifecycle.stop(run)
    run.refresh_from_db()
    return run


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def test_a_stranger_is_sent_to_sign_in(client, db):
    for name in ("dashboard", "searches", "datasets", "new-search"):
        assert client.get(reverse(name)).status_code == 302
    assert not Run.objects.exists()


def test_the_empty_dashboard_offers_the_demo_and_the_wizard(person):
    page = text(person.get("/"))
    assert page.count("Start a demo search") == 1
    assert reverse("new-search") in page
    assert "every 2s" not in page


def test_one_click_starts_the_demo(person, alice):
    response = person.post("/demo/")
    run = Run.objects.get()
    assert response.url == run.get_absolute_url()
    assert (run.status, run.owner, run.plan.budget) == ("queued", alice, DEMO.budget)
    assert run.plan.limits


def test_the_demo_is_not_started_by_following_a_link(person):
    assert person.get("/demo/").status_code == 405


def test_a_running_search_is_a_card_that_refreshes(person, make_run, worker, work):
    run = make_run()
    lifecycle.start(run)
    advance(run.pk)
    page = text(person.get("/"))
    assert "every 2s" in page
    assert "0 of 8 candidates" in page
    evaluation = run.evaluations.order_by("pk").first()
    evaluation.status, evaluation.metrics = "measured", {"accuracy": 87.5, "parameters": 10}
    evaluation.save()
    cache.clear()
    page = text(person.get("/"))
    assert "1 of 8 candidates" in page
    assert "87.50 %" in page
    assert 'class="sparkline"' in page
    assert 'class="thumbnail"' in page


def test_a_finished_search_is_listed_with_its_best_value_and_nothing_refreshes(person, finished):
    page = text(person.get("/"))
    assert finished.status == "cancelled"
    assert "the first" in page
    assert "every 2s" not in page
    best = max(row.metrics["accuracy"] for row in finished.evaluations.filter(status="measured", stage="search"))
    assert f"{best:.2f} %" in page
    assert f"{best:.2f} %" in text(person.get("/searches/"))


def test_the_number_of_queries_does_not_grow_with_the_list(person, make_run, django_assert_max_num_queries):
    for _ in range(30):
        make_run()
    Run.objects.update(status="completed")
    with django_assert_max_num_queries(12):
        person.get("/searches/")


def test_the_list_is_filtered_sorted_and_paged_by_its_address(person, make_run):
    for number in range(30):
        run = make_run(budget=number + 1)
        Run.objects.filter(pk=run.pk).update(name=f"run {number:02}", status="completed")
    Run.objects.filter(name="run 07").update(status="failed")
    names = [line.run.name for line, _ in person.get("/searches/?sort=name").context["lines"]]
    assert names == [f"run {number:02}" for number in range(25)]
    second = person.get("/searches/?sort=name&page=2").context["lines"]
    assert [line.run.name for line, _ in second] == [f"run {number}" for number in range(25, 30)]
    only = person.get("/searches/?state=failed&q=RUN").context["lines"]
    assert [line.run.name for line, _ in only] == ["run 07"]
    assert 'aria-sort="ascending"' in text(person.get("/searches/?sort=name"))
    assert "No search fits this filter." in text(person.get("/searches/?dataset=cifar10"))


@pytest.mark.parametrize("query", ["sort=nothing", "page=99", "page=x", "state=odd&dataset=odd", "sort=-best", "q=%00"])
def test_an_odd_query_is_a_page_all_the_same(person, make_run, query):
    make_run()
    text(person.get(f"/searches/?{query}"))


def test_a_draft_of_somebody_else_is_not_listed(person, make_run):
    run = make_run()
    Run.objects.filter(pk=run.pk).update(owner=get_user_model().objects.create_user("bob"))
    assert not person.get("/searches/").context["lines"]


def test_a_copy_is_a_new_draft_of_the_same_plan_and_of_the_copier(person, finished, alice):
    response = person.post(reverse("run-copy", args=[finished.pk]))
    copied = Run.objects.exclude(pk=finished.pk).get()
    assert response.url == reverse("wizard", args=[copied.pk, "review"])
    assert (copied.plan, copied.owner, copied.status) == (finished.plan, alice, "draft")
    assert not copied.candidates.exists()


def test_deleting_asks_for_the_name(person, finished):
    url = reverse("run-delete", args=[finished.pk])
    assert "the first" in text(person.get(url))
    assert "not the name" in text(person.post(url, {"name": "the last"}))
    assert Run.objects.exists()
    person.post(url, {"name": "the first"})
    assert not Run.objects.exists()


def test_an_open_search_is_not_deleted(person, make_run):
    run = make_run()
    lifecycle.start(run)
    assert "still open" in text(person.post(reverse("run-delete", args=[run.pk]), {"name": run.name}))
    assert Run.objects.exists()


def test_a_draft_is_deleted_without_typing(person, make_run):
    person.post(reverse("run-delete", args=[make_run().pk]))
    assert not Run.objects.exists()


def test_nobody_deletes_the_search_of_somebody_else(client, finished):
    client.force_login(get_user_model().objects.create_user("mallory"))
    assert client.post(reverse("run-delete", args=[finished.pk]), {"name": "the first"}).status_code == 403
    assert "Delete" not in text(client.get("/searches/"))


def test_the_datasets_are_shown_with_images_and_where_missing_ones_belong(person, settings, tmp_path):
    settings.NAS_DATA_DIRS = [tmp_path]
    page = text(person.get("/datasets/"))
    assert page.count('src="data:image/png;base64') >= 30
    assert "CIFAR-10 was not found" in page
    assert str(tmp_path) in page
    assert "Ankle boot" in page


def test_the_sample_images_of_digits_are_one_of_each_class_first():
    assert [image.label for image in samples("digits", 10)] == [str(digit) for digit in range(10)]
    assert samples("cifar10") == ()


def test_a_damaged_dataset_has_no_sample_images(settings, tmp_path):
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"):
        (tmp_path / name).write_bytes(b"short")
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(b"no gzip at all")
    settings.NAS_DATA_DIRS = [tmp_path]
    assert samples("fashion_mnist") == ()

"""A search that tells a number has the same pages as one that tells classes."""

import pytest
from django.urls import reverse

from nas.evaluation.protocol import Split
from nas.spaces.catalogue import SpaceSpec
from searches import lifecycle
from searches.advance import advance
from searches.models import Run
from searches.story import story
from tests.nas.datasets.made import made

pytestmark = pytest.mark.django_db


def told(candidate):
    """What a worker measures of a number."""
    error = 10.0 + candidate.number
    return {"rmse": error, "mae": error / 2, "r2": 0.5, "loss": error / 20, "parameters": candidate.parameters}


@pytest.mark.parametrize("name", ["prices", "words"])
def test_the_pages_of_a_search_on_other_data(name, make_run, work, client, alice, tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_DATASET_DIR", str(tmp_path))
    made(tmp_path, name)
    space = SpaceSpec({"prices": "mlp", "words": "transformer"}[name], {})
    judge = (told,) if name == "prices" else ()
    run = make_run(split=Split(name), space=space, strategy="random", strategy_settings={}, objectives=(), limits=())
    run.owner = alice
    run.save()
    client.force_login(alice)
    metric = "rmse" if name == "prices" else "accuracy"
    assert [one.metric for one in run.plan.objectives] == [metric]
    assert client.get(reverse("wizard", args=[run.pk, "review"])).status_code == 200
    lifecycle.start(run)
    for _ in range(30):
        advance(run.pk)
        work(run, *judge)
        run.refresh_from_db()
        if run.stage == Run.Stage.FINAL:
            assert client.get(reverse("run", args=[run.pk])).status_code == 200
        if run.status == Run.Status.COMPLETED:
            break
    assert run.status == Run.Status.COMPLETED
    page = client.get(reverse("run", args=[run.pk])).content.decode()
    value = run.winner.number + 10.0 if name == "prices" else 50.0 + run.winner.number
    assert f"{value:.1f}" in page
    said = [line.text for line in story(run)]
    words = "Root mean squared error" if name == "prices" else "accuracy"
    assert any(words in line and "on the test split" in line for line in said)
    assert client.get(reverse("candidate", args=[run.pk, run.winner.number])).status_code == 200
    assert run.winner.number == min(one.number for one in run.candidates.filter(number__gt=0)) or name == "words"

"""The final stage as rows and pages: several finalists, a baseline that waits for the winner, foreign networks."""

import re
from dataclasses import replace

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from nas import codec
from nas.evaluation.protocol import Job
from nas.events import EpochEnded
from nas.reference import Reference
from nas.sentences import Sentence
from nas.speeds import Speed, dump
from searches import leases, lifecycle
from searches.advance import advance
from searches.comparison import compare
from searches.files import model_files
from searches.models import Evaluation, Run
from workers.evaluating import job_of

LINE = r'<polyline class="curve-(\d)" points="([^"]+)"/>'


@pytest.fixture
def final(make_run, worker, work):
    """Return a maker of searches that stand in their final stage; keywords change the plan."""

    def make(**changes):
        run = make_run(budget=4, final_seeds=2, **changes)
        lifecycle.start(run)
        advance(run.pk)
        while Run.objects.get(pk=run.pk).stage == Run.Stage.SEARCH:
            work(run)
        run.refresh_from_db()
        return run

    return make


def judged(candidate):
    """On validation the second finalist wins, on the test split the first."""
    low = {"accuracy": 99.0 - candidate.number, "parameters": candidate.parameters, "training_seconds": 3.0}
    return low | {"valid_accuracy": 100.0 - candidate.number}


def test_the_finalist_that_validation_prefers_wins_and_the_files_are_its_own(final, work, person):
    run = final(final_top=2)
    numbers = list(run.evaluations.filter(stage="final").values_list("candidate__number", flat=True))
    assert sorted({*numbers}) == [0, 3, 4]
    assert run.winner.number == 4
    assert "candidates 4, 3 and the baseline" in person.get(run.get_absolute_url()).content.decode()
    work(run, judged)
    run.refresh_from_db()
    assert (run.status, run.winner.number) == ("completed", 3)
    run.evaluations.filter(export=True).update(artifacts=[{"name": "model.py", "path": "x", "bytes": 1}])
    run.evaluations.filter(export=True, candidate=run.winner).update(
        artifacts=[{"name": "model.onnx", "path": "x", "bytes": 1}]
    )
    assert [file.name for file in model_files(run)] == ["model.onnx"]
    found = compare(run)
    assert [(one.number, one.is_winner) for one in found.contestants] == [(0, False), (3, True), (4, False)]
    assert [cell.mean for cell in found.on_validation[0].cells] == ["100.00 %", "97.00 %", "96.00 %"]
    page = person.get(run.get_absolute_url()).content.decode()
    assert "On validation, which decides between the finalists" in page
    assert "Is the difference real?" in page
    assert "Time of devices" in page


def test_finalists_that_differ_are_compared_before_the_baseline_is_measured(final, person):
    run = final(final_top=2)
    for evaluation in run.evaluations.filter(stage=Run.Stage.FINAL).exclude(candidate__number=0):
        mine = leases.claim(evaluation.pk, evaluation.attempt, "w@here")
        leases.measure(mine, judged(mine.candidate), [])
    assert [cell and cell.better for cell in compare(run).rows[0].cells] == [None, True, False]
    assert person.get(run.get_absolute_url()).status_code == 200


def test_a_baseline_that_trains_as_long_begins_when_the_winner_has_ended(final, work):
    run = final(baseline=Reference(budget="time"))
    assert not run.candidates.filter(number=0).exists()
    assert compare(run).asked == 4
    for evaluation in run.evaluations.filter(status=Evaluation.Status.QUEUED):
        mine = leases.claim(evaluation.pk, evaluation.attempt, "w@here")
        leases.measure(mine, {"accuracy": 90.0, "training_seconds": 10.0 + evaluation.seed}, [])
    advance(run.pk)
    waiting = list(run.evaluations.filter(candidate__number=0))
    assert len(waiting) == 2
    job = job_of(leases.claim(waiting[0].pk, 1, "w@here"))
    assert isinstance(job, Job)
    seeds = [one.seed for one in run.evaluations.filter(candidate=run.winner, stage="final")]
    assert job.seconds == 10 + sum(seeds) / len(seeds)
    leases.measure(Evaluation.objects.get(pk=waiting[0].pk), {"accuracy": 80.0}, [])
    advance(run.pk)
    work(run, lambda _candidate: {"accuracy": 80.0})
    run.refresh_from_db()
    assert run.status == "completed"


def test_a_network_of_torchvision_as_baseline_has_a_page_without_a_diagram(final, work, person):
    run = final(baseline=Reference("resnet18"))
    baseline = run.candidates.get(number=0)
    waiting = run.evaluations.filter(candidate=baseline).first()
    assert job_of(leases.claim(waiting.pk, 1, "w@here")).space.kind == "torchvision"
    page = person.get(baseline.get_absolute_url()).content.decode()
    assert "ResNet-18 is a network of torchvision: its diagram is not drawn." in page
    assert "Baseline: ResNet-18" in person.get(run.get_absolute_url()).content.decode()


def test_an_own_network_as_baseline_is_drawn(final, person):
    plan = final().plan
    own = Reference("own", replace(plan.space, limits=()), final().candidates.get(number=1).architecture.choices)
    run = final(baseline=own)
    baseline = run.candidates.get(number=0)
    assert baseline.parameters == own.graph(plan.task).parameters
    assert "<svg" in person.get(baseline.get_absolute_url()).content.decode()


def test_the_curves_of_the_seeds_are_drawn_as_bands(final):
    run = final()
    for evaluation in run.evaluations.filter(status=Evaluation.Status.QUEUED):
        mine = leases.claim(evaluation.pk, evaluation.attempt, "w@here")
        leases.measure(mine, {"accuracy": 90.0}, [])
        points = [{"epoch": e, "train_loss": 2.0 / e + 0.1 * mine.seed} for e in (1, 2, 3)]
        Evaluation.objects.filter(pk=mine.pk).update(curve=points)
    (svg,) = compare(run).curves
    assert svg.count("<polyline") == svg.count("<polygon") == 2
    assert "NaN" not in svg


def test_where_validation_is_kept_apart_its_curves_are_drawn_of_every_contestant(final, person):
    run = final(final_top=2)
    for evaluation in run.evaluations.filter(status=Evaluation.Status.QUEUED):
        mine = leases.claim(evaluation.pk, evaluation.attempt, "w@here")
        lead = 10.0 * mine.candidate.number + mine.seed
        curve = [EpochEnded(at, 3, 2.0 / at, 2.5 / at, lead + at, 0.1 * at) for at in (1, 2, 3)]
        leases.measure(mine, {"accuracy": lead, "valid_accuracy": lead}, curve)
    found = compare(run).curves
    assert [svg.count("<polyline") for svg in found] == [svg.count("<polygon") for svg in found] == [3, 3, 3]
    labels = ["training loss", "validation loss", "validation accuracy (%)"]
    who = "Candidate 4, Baseline, Candidate 3"
    for words, svg in zip(labels, found, strict=True):
        assert f'aria-label="{words} of {who} over the epochs, mean and band over seeds"' in svg
    # Means of the last epoch are 45.5, 35.5 and 5.5: the winner's line ends highest.
    ends = {at: float(points.split()[-1].split(",")[1]) for at, points in re.findall(LINE, found[-1])}
    assert ends["0"] < ends["2"] < ends["1"]
    page = person.get(run.get_absolute_url()).content.decode()
    assert page.count('class="roc bands"') == 3
    assert "Lines are means over the seeds, bands reach one standard deviation up and down." in page


def test_the_card_is_taken_as_page_and_as_markdown_with_the_comparison(final, work, person):
    run = final()
    work(run, judged)
    exported = run.evaluations.get(export=True)
    path = default_storage.save("runs/x/model_card.md", ContentFile(b"# Demo\n\nA classifier.\n"))
    exported.artifacts = [
        {"name": "model_card.md", "path": path, "bytes": 23},
        {"name": "model.pt2", "problem": codec.dump(Sentence("{kind}: {message}", {"kind": "E", "message": "odd"}))},
    ]
    exported.metrics |= {"onnx_latency_ms": 0.5, "onnx_latency_p95_ms": 0.7, "onnx_accuracy": 98.0}
    exported.save()
    names = [file.name for file in model_files(run)]
    assert names == ["model.pt2", "model_card.html", "model_card.md"]
    page = person.get(run.get_absolute_url()).content.decode()
    assert "model.pt2 is missing: E: odd" in page
    assert person.get(reverse("run-file", args=[run.pk, "model.pt2"])).status_code == 404
    card = person.get(reverse("run-file", args=[run.pk, "model_card.md"]))
    text = card.content.decode()
    assert card["Content-Type"].startswith("text/markdown")
    assert text.startswith("# Demo")
    assert "| Accuracy | 95.00 % ± 0.00 % | 99.00 % ± 0.00 % |" in text
    assert "Strategy: genetic, seed 1, 4 candidates; objectives: max accuracy" in text
    html = person.get(reverse("run-file", args=[run.pk, "model_card.html"]))
    assert "<td>95.00 % ± 0.00 %</td>" in html.content.decode()
    assert "attachment" in html["Content-Disposition"]


def test_how_fast_the_winner_answers_stands_on_its_page_by_runtime_and_batch(final, work, person):
    run = final()
    work(run, judged)
    exported = run.evaluations.get(export=True)
    told = [Speed("torch", "NVIDIA H100", 1, 0.5, 0.75), Speed("torch", "NVIDIA H100", 128, 2.0, 2.5)]
    path = default_storage.save("runs/x/latency.json", ContentFile(dump([*told, Speed("onnxruntime", "CPU", 1, 4, 5)])))
    exported.artifacts = [{"name": "latency.json", "path": path, "bytes": 9}]
    exported.save()
    page = person.get(run.get_absolute_url()).content.decode()
    section = page.split('id="speed"')[1].split("</section>")[0]
    assert '<th scope="rowgroup" rowspan="2">torch, NVIDIA H100</th><td class="right">1</td>' in section
    cells = ["128", "2.00 ms", "2.50 ms", "64k"]
    assert "".join(f'<td class="right">{cell}</td>' for cell in cells) in section
    assert '<th scope="rowgroup" rowspan="1">onnxruntime, CPU</th>' in section
    with default_storage.open(path, "w") as stream:
        stream.write("{")
    assert 'id="speed"' not in person.get(run.get_absolute_url()).content.decode()


def test_how_fast_and_how_good_an_onnx_file_is_stands_beside_it(final, work):
    run = final()
    work(run, judged)
    exported = run.evaluations.get(export=True)
    exported.artifacts = [{"name": "model-int8.onnx", "path": "x", "bytes": 9}]
    exported.metrics |= {"int8_latency_ms": 0.5, "int8_latency_p95_ms": 0.75, "int8_accuracy": 98.0}
    exported.save()
    (file,) = model_files(run)
    assert file.measured == "0.50 ms in onnxruntime on one thread, 95 % within 0.75 ms; Accuracy 98.00 %"

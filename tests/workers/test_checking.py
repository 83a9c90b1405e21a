"""A worker's check of a file: a dataset or a refusal, whatever dies in between, and nothing left behind."""

import io
import threading
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from nas.datasets import added
from searches import checking, incoming, receiving
from searches.models import Upload, Worker
from searches.sweep import sweep
from tests.running import wait_until
from workers.checking import check
from workers.warm import Runner

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """The folder of added datasets."""
    monkeypatch.setenv("NAS_DATASET_DIR", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


@pytest.fixture
def alice():
    return get_user_model().objects.create_user("alice", password="a wonderland password")


CSV = "size,colour,kind\n" + "".join(
    f"{n},{'red' if n % 3 else 'blue'},{'big' if n > 20 else 'small'}\n" for n in range(40)
)


def slow():
    """A process that does what the title of the upload says."""
    return Runner("tests.workers.slow_checker")


def received(owner, body, file="things.csv", kind="table", name="things", title="Things"):
    """An upload whose file is whole."""
    asked = {"name": name, "title": title, "kind": kind, "options": {}}
    upload = receiving.begin(owner, asked, file, len(body))
    return receiving.take(upload, 0, io.BytesIO(body))


def left(home):
    """What lies in the folder of what comes in."""
    return list((home / ".incoming").iterdir())


def claimed(upload, attempt=1):
    mine = checking.claim(upload.pk, attempt, "w@here")
    assert mine
    return mine


def test_a_file_becomes_a_dataset_with_its_report(alice, home):
    upload = received(alice, CSV.encode())
    check(claimed(upload))
    upload.refresh_from_db()
    assert upload.status == Upload.Status.READY
    found = added.find("things")
    assert found.title == "Things"
    assert upload.report_json["fingerprint"] == found.fingerprint
    assert left(home) == []


def test_a_second_file_becomes_the_test_part(alice, home):
    head, *rows = CSV.splitlines()
    first, second = ("\n".join((head, *some)).encode() for some in (rows[::2] + rows[1:10:2], rows[1::2]))
    asked = {"name": "things", "title": "Things", "kind": "table", "options": {"test": ["more.csv", len(second)]}}
    upload = receiving.begin(alice, asked, "things.csv", len(first + second))
    check(claimed(receiving.take(upload, 0, io.BytesIO(first + second))))
    upload.refresh_from_db()
    assert upload.status == Upload.Status.READY, upload.sentence
    found = added.find("things")
    assert (found.train, found.test) == (20, 20)
    assert upload.report_json["duplicates"] == 5
    assert left(home) == []


def test_a_file_that_is_no_dataset_is_refused_with_its_reason(alice, home):
    upload = received(alice, b"\xff\xfe\x00 no text", name="broken")
    check(claimed(upload))
    upload.refresh_from_db()
    assert upload.status == Upload.Status.REFUSED
    assert "UTF-8" in str(upload.sentence)
    assert [path.name for path in home.iterdir()] == [".incoming"]
    assert left(home) == []


def test_a_check_whose_process_dies_is_done_again_and_the_third_time_refused(alice, home):
    upload = received(alice, CSV.encode(), title="dies")
    for attempt in (1, 2):
        check(claimed(upload, attempt), slow)
        upload.refresh_from_db()
        assert (upload.status, upload.losses) == (Upload.Status.QUEUED, attempt)
    check(claimed(upload, 3), slow)
    upload.refresh_from_db()
    assert upload.status == Upload.Status.REFUSED
    assert "lost 3 times" in str(upload.sentence)
    sweep()
    assert left(home) == []


def test_a_second_attempt_finds_nothing_of_the_first(alice, home):
    upload = received(alice, CSV.encode(), title="dies")
    check(claimed(upload), slow)
    assert list(home.rglob("*.npy"))
    check(claimed(upload, 2))
    assert added.find("things")
    assert left(home) == []


def test_a_silent_worker_loses_its_check_and_whoever_comes_back_writes_nothing(alice, home):
    upload = received(alice, CSV.encode())
    late = claimed(upload)
    Upload.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep()
    upload.refresh_from_db()
    assert (upload.status, upload.attempt, upload.losses) == (Upload.Status.QUEUED, 2, 1)
    check(claimed(upload, 2))
    assert not checking.report(late, {"fingerprint": "of another"})
    assert not checking.finish(late)
    assert not checking.refuse(late, receiving._unkept(OSError(5, "x")).sentence)
    upload.refresh_from_db()
    assert upload.status == Upload.Status.READY


def test_a_message_that_comes_twice_is_claimed_once(alice):
    upload = received(alice, CSV.encode())
    assert claimed(upload)
    assert checking.claim(upload.pk, 1, "another@here") is None
    assert checking.claim(upload.pk, 2, "another@here") is None


def test_a_worker_that_died_between_the_move_and_the_row_is_taken_over_without_a_second_check(alice, home):
    upload = received(alice, CSV.encode())
    check(claimed(upload))
    Upload.objects.update(status=Upload.Status.QUEUED, attempt=2)
    check(claimed(upload, 2), slow)
    upload.refresh_from_db()
    assert upload.status == Upload.Status.READY


def test_a_name_that_the_command_line_took_meanwhile_is_refused_and_left_alone(alice, home):
    upload = received(alice, CSV.encode())
    (home / "things").mkdir()
    (home / "things" / "precious").touch()
    check(claimed(upload))
    upload.refresh_from_db()
    assert "There is already a dataset things" in str(upload.sentence)
    assert [path.name for path in (home / "things").iterdir()] == ["precious"]
    assert left(home) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wanted", ["given up", "drained"])
def test_a_check_ends_when_it_is_given_up_or_its_worker_is_drained(alice, home, wanted):
    now = timezone.now()
    Worker.objects.create(name="w@here", host="here", device="cpu", queue="default", pid=1, seen_at=now)
    upload = received(alice, CSV.encode(), title="sleeps")
    mine = claimed(upload)

    def work():
        check(mine, slow)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: Upload.objects.get(pk=upload.pk).progress["total"] == 2)
    if wanted == "given up":
        assert receiving.give_up(upload)
    else:
        Worker.objects.update(draining=True)
    thread.join(10)
    assert not thread.is_alive()
    if wanted == "given up":
        assert left(home) == []
    else:
        upload.refresh_from_db()
        assert (upload.status, upload.attempt, upload.losses) == (Upload.Status.QUEUED, 2, 0)
        assert incoming.file(upload.pk, "things.csv").read_bytes() == CSV.encode()

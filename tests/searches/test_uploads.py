"""A file on its way in: pieces, resumption, refusals that leave nothing behind, and who may do what."""

import io
import json
import os
import shutil
import threading
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from nas.sentences import Refused
from searches import checking, incoming, receiving
from searches.models import Upload
from searches.sweep import sweep

ASKED = {"name": "pets", "title": "Pets", "kind": "images", "options": {}}
BODY = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """The folder of added datasets."""
    monkeypatch.setenv("NAS_DATASET_DIR", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


@pytest.fixture
def begun(alice):
    return receiving.begin(alice, ASKED, "pets.zip", len(BODY))


def left(home):
    """Every file below the folder of datasets."""
    return sorted(path.name for path in home.rglob("*") if path.is_file())


def take(upload, offset, piece):
    return receiving.take(upload, offset, io.BytesIO(piece))


def in_pieces(person, file="pets.zip", size=10240, **words):
    sent = {"file_name": file, "size": size, **words}
    return person.post(reverse("new-dataset"), sent, headers={"X-Pieces": "yes"})


def send(person, upload_id, offset, piece):
    address = f"{reverse('upload-pieces', args=[upload_id])}?offset={offset}"
    return person.post(address, piece, content_type="application/octet-stream")


def test_pieces_make_a_whole_file_that_waits_for_a_worker(begun):
    for at in range(0, len(BODY), 3000):
        assert begun.is_receiving
        begun = take(begun, at, BODY[at : at + 3000])
    begun.refresh_from_db()
    assert begun.status == Upload.Status.QUEUED
    sweep()
    begun.refresh_from_db()
    assert begun.sent_at is not None
    assert incoming.file(begun.pk, "pets.zip").read_bytes() == BODY


@pytest.mark.parametrize("offset", [0, 2000, 3001])
def test_a_piece_that_does_not_follow_the_last_one_is_told_where_to_go_on(begun, offset):
    take(begun, 0, BODY[:3000])
    with pytest.raises(incoming.Elsewhere) as elsewhere:
        take(begun, offset, BODY[offset : offset + 10])
    assert elsewhere.value.received == 3000
    assert incoming.file(begun.pk, "pets.zip").read_bytes() == BODY[:3000]


def test_a_piece_that_broke_off_is_not_counted(begun):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            if self.tell():
                raise ConnectionResetError("gone")
            return super().read(100)

    take(begun, 0, BODY[:3000])
    with pytest.raises(incoming.Elsewhere):
        receiving.take(begun, 3000, Broken(BODY[3000:]))
    assert incoming.file(begun.pk, "pets.zip").read_bytes() == BODY[:3000]
    assert take(begun, 3000, BODY[3000:]).received == len(BODY)


def test_what_the_disk_lost_is_sent_again(begun):
    take(begun, 0, BODY[:3000])
    os.truncate(incoming.file(begun.pk, "pets.zip"), 1000)
    with pytest.raises(incoming.Elsewhere) as elsewhere:
        take(begun, 3000, BODY[3000:])
    assert elsewhere.value.received == 1000
    assert take(begun, 1000, BODY[1000:]).received == len(BODY)
    assert incoming.file(begun.pk, "pets.zip").read_bytes() == BODY


def test_more_than_was_announced_is_refused_and_not_kept(begun):
    with pytest.raises(Refused, match="longer than the 10240 bytes that were announced"):
        take(begun, 0, BODY + b"!")
    begun.refresh_from_db()
    assert begun.received == 0


@pytest.mark.django_db(transaction=True)
def test_two_that_send_the_same_file_at_once_make_it_once(alice):
    upload = receiving.begin(alice, ASKED, "pets.zip", len(BODY))
    outcomes = []

    def sender():
        mine = Upload.objects.get(pk=upload.pk)
        at = 0
        while at < len(BODY):
            try:
                at = take(mine, at, BODY[at : at + 500]).received
                outcomes.append("taken")
            except incoming.Elsewhere as elsewhere:
                if not Upload.objects.get(pk=upload.pk).is_receiving:
                    break
                at = elsewhere.received
        connection.close()

    threads = [threading.Thread(target=sender) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert incoming.file(upload.pk, "pets.zip").read_bytes() == BODY
    assert len(outcomes) == -(-len(BODY) // 500)
    upload.refresh_from_db()
    assert (upload.status, upload.received) == (Upload.Status.QUEUED, len(BODY))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.zip", "passwd.zip"),
        ("..", "-"),
        ("猫 und Hund.CSV", "猫-und-Hund.CSV"),
        ("a/b\x00c.tsv", "b-c.tsv"),
        (".zip", "-zip"),
        ("x" * 300 + ".exe", "x" * 60),
    ],
)
def test_no_word_that_was_sent_leads_out_of_the_folder(home, sent, kept):
    assert incoming.file(3, sent) == home / ".incoming" / "3" / kept


# Refusals


def test_a_disk_without_room_is_refused_before_anything_is_sent(alice, home, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=150_000_000))
    with pytest.raises(Refused, match=r"is full: 200 MB are needed and 150 MB are free"):
        receiving.begin(alice, ASKED, "pets.zip", len(BODY))
    assert not Upload.objects.exists()
    assert left(home) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_disk_that_becomes_full_refuses_and_keeps_nothing(person, alice, home):
    upload = receiving.begin(alice, ASKED, "pets.zip", len(BODY))
    incoming.file(upload.pk, "pets.zip").symlink_to("/dev/full")
    answer = send(person, upload.pk, 0, BODY)
    assert answer.status_code == 507
    assert "is full" in answer.json()["sentence"]
    upload.refresh_from_db()
    assert upload.status == Upload.Status.REFUSED
    assert left(home) == []
    page = person.get(reverse("upload", args=[upload.pk])).content.decode()
    assert "It was refused." in page
    assert "is full" in page


@pytest.mark.parametrize(
    ("name", "words", "field", "sentence"),
    [
        ("pets.rar", {}, "file", "Images come as a .zip"),
        ("pets.csv", {"kind": "images"}, "file", "Images come as a .zip"),
        ("pets.zip", {"kind": "table"}, "file", "Images come as a .zip"),
        ("pets.zip", {"size": 0}, "file", "pets.zip is empty."),
        ("pets.zip", {"size": 10**13}, "file", "a file may have"),
        ("", {}, "file", "Choose a file."),
        ("pets.zip", {"name": "../../etc/passwd"}, "name", "cannot be called ../../etc/passwd"),
        ("???.zip", {}, "name", "A dataset cannot be called"),
        ("digits.csv", {}, "name", "There is already a dataset digits"),
        ("pets.csv", {"side": "4"}, "side", "greater than or equal to 8"),
    ],
)
@pytest.mark.parametrize("way", ["pieces", "whole"])
def test_what_cannot_be_a_dataset_is_refused_at_its_field(person, home, settings, name, words, field, sentence, way):
    if way == "pieces":
        answer = in_pieces(person, name, **words)
        assert answer.status_code == 422
        told = [one for one in answer.json()["problems"] if one["field"] == f"id_{field}"]
        assert any(sentence in one["sentence"] for one in told), answer.json()
    else:
        if words.get("size") == 10**13:  # there is no such file to send, so the bound comes down to one that is there
            settings.UPLOAD_BYTES = len(BODY) - 1
        body = b"" if words.get("size") == 0 else BODY
        file = {"file": SimpleUploadedFile(name, body)} if name else {}
        answer = person.post(reverse("new-dataset"), {**file, **words})
        assert answer.status_code == 200
        page = answer.content.decode()
        assert sentence in page or (sentence.endswith("is empty.") and "empty" in page)
    assert not Upload.objects.exists()
    assert left(home) == []


def test_a_name_that_is_on_its_way_is_taken(begun, person):
    told = in_pieces(person).json()["problems"]
    assert [one["field"] for one in told] == ["id_name"]
    assert "There is already a dataset pets" in told[0]["sentence"]


def test_a_refused_file_leaves_its_name_free(begun, alice):
    receiving.refuse(begun, Refused("No.").sentence)
    assert receiving.begin(alice, ASKED, "pets.zip", 5).is_receiving


def test_nobody_fills_the_disk_with_files_that_were_only_begun(alice):
    for number in range(receiving.MOST_OPEN):
        receiving.begin(alice, {**ASKED, "name": f"pets{number}"}, "pets.zip", 10)
    with pytest.raises(Refused, match="5 files of yours are on their way already"):
        receiving.begin(alice, ASKED, "pets.zip", 10)


def test_what_nobody_goes_on_with_is_dropped_by_the_sweep(begun, home):
    take(begun, 0, BODY[:100])
    assert left(home) == ["pets.zip"]
    Upload.objects.update(heard_at=timezone.now() - timedelta(days=2))
    sweep()
    begun.refresh_from_db()
    assert begun.status == Upload.Status.REFUSED
    assert left(home) == []


def test_a_folder_whose_row_is_gone_is_swept_away(begun, home):
    take(begun, 0, BODY[:100])
    Upload.objects.all().delete()
    sweep()
    assert left(home) == []


# Pages


def test_a_browser_sends_pieces_and_goes_on_after_a_break(person, home):
    state = in_pieces(person, title="My pets").json()
    upload = Upload.objects.get()
    assert (upload.title, upload.name, upload.kind) == ("My pets", "pets", "images")
    assert send(person, upload.pk, 0, BODY[:4000]).json()["received"] == 4000
    again = send(person, upload.pk, 0, BODY[:4000])
    assert (again.status_code, again.json()["received"]) == (409, 4000)
    assert person.get(state["pieces"]).json()["received"] == 4000
    page = person.get(state["page"]).content.decode()
    assert "were received" in page
    assert "Go on sending" in page
    told = send(person, upload.pk, 4000, BODY[4000:]).json()
    assert told["status"] == "queued"
    assert "No worker is alive" in person.get(state["page"]).content.decode()


def test_a_browser_without_scripts_sends_the_file_as_a_whole(person):
    words = {"file": SimpleUploadedFile("../Prices 2026.csv", b"a,b\n1,2\n"), "target": "b", "goal": "number"}
    answer = person.post(reverse("new-dataset"), words)
    upload = Upload.objects.get()
    assert answer.url == reverse("upload", args=[upload.pk])
    assert (upload.name, upload.title, upload.kind) == ("prices-2026", "Prices 2026", "table")
    assert upload.options == {"target": "b", "goal": "number"}
    assert upload.status == Upload.Status.QUEUED
    assert '<noscript><meta http-equiv="refresh"' in person.get(answer.url).content.decode()


def test_two_files_are_sent_as_if_they_were_one(person, home):
    told = in_pieces(person, "prices.csv", 4000, test_name="prices of May.csv", test_size=6240)
    state, upload = told.json(), Upload.objects.get()
    assert (state["size"], state["fileSize"], state["testName"]) == (len(BODY), 4000, "prices of May.csv")
    assert (upload.file_size, upload.test) == (4000, ("prices of May.csv", 6240))
    assert send(person, upload.pk, 0, BODY[:3000]).json()["status"] == "receiving"
    page = person.get(state["page"]).content.decode()
    assert "Choose prices.csv again, and prices of May.csv for the test part" in page
    assert send(person, upload.pk, 3000, BODY[3000:]).json()["status"] == "queued"
    first, second = incoming.file(upload.pk, "prices.csv"), incoming.test_file(upload.pk, "prices of May.csv")
    for _ in range(2):  # a check that died is begun anew
        incoming.cut(first, upload.file_size, second)
        assert (first.read_bytes(), second.read_bytes()) == (BODY[:4000], BODY[4000:])
    first.write_bytes(BODY)  # as after a kill before the cut was made
    second.write_bytes(b"half")
    incoming.cut(first, upload.file_size, second)
    assert (first.read_bytes(), second.read_bytes()) == (BODY[:4000], BODY[4000:])


def test_a_browser_without_scripts_sends_both_files_as_a_whole(person):
    files = {"file": SimpleUploadedFile("a.tsv", b"good\tyes\n"), "test": SimpleUploadedFile("b.tsv", b"bad\tno\n")}
    person.post(reverse("new-dataset"), files)
    upload = Upload.objects.get()
    assert (upload.status, upload.size, upload.test) == (Upload.Status.QUEUED, 16, ("b.tsv", 7))
    assert incoming.file(upload.pk, "a.tsv").read_bytes() == b"good\tyes\nbad\tno\n"


@pytest.mark.parametrize(
    ("words", "field", "sentence"),
    [
        ({"test_name": "b.tsv", "test_size": 5}, "test", "It must end in .csv, as the first file does."),
        ({"test_name": "b.csv", "test_size": 0}, "file", "b.csv is empty."),
        ({"test_name": "b.csv", "test_size": 10**13}, "file", "b.csv has 10,000,000.0 MB; a file may have"),
    ],
)
def test_a_second_file_that_fits_not_is_refused(person, home, words, field, sentence):
    answer = in_pieces(person, "a.csv", **words)
    assert answer.status_code == 422
    told = {one["field"]: one["sentence"] for one in answer.json()["problems"]}
    assert sentence in told[f"id_{field}"]
    assert not Upload.objects.exists()
    assert left(home) == []


def test_the_page_asks_anew_and_is_told_when_the_state_changes(person, begun):
    address = reverse("upload", args=[begun.pk])
    headers = {"HX-Request": "true"}
    assert "HX-Refresh" not in person.get(f"{address}?state=receiving", headers=headers).headers
    take(begun, 0, BODY)
    assert person.get(f"{address}?state=receiving", headers=headers).headers["HX-Refresh"] == "true"
    mine = checking.claim(begun.pk, 1, "w@here")
    checking.tell(mine, 3, 12, "images")
    page = person.get(f"{address}?state=checking", headers=headers).content.decode()
    assert 'max="12" value="3"' in page


@pytest.mark.parametrize("offset", ["", "-1", "x", "1e3"])
def test_a_piece_without_a_place_is_refused(person, begun, offset):
    assert send(person, begun.pk, offset, b"x").status_code == 400


def test_a_file_is_given_up_with_all_there_is_of_it(person, begun, home):
    take(begun, 0, BODY[:100])
    page = person.post(reverse("upload-give-up", args=[begun.pk]), follow=True)
    assert "nothing of it is left" in page.content.decode()
    assert left(home) == []
    assert not Upload.objects.exists()
    assert send(person, begun.pk, 100, b"x").status_code == 404


def test_only_its_owner_and_the_staff_go_on_with_a_file(client, begun):
    client.force_login(get_user_model().objects.create_user("bob", password="a builder's password"))
    assert send(client, begun.pk, 0, b"x").status_code == 403
    assert client.get(reverse("upload-pieces", args=[begun.pk])).status_code == 403
    assert client.post(reverse("upload-give-up", args=[begun.pk])).status_code == 403
    page = client.get(reverse("upload", args=[begun.pk]))
    assert page.status_code == 200
    assert "Give it up" not in page.content.decode()


def test_nobody_sends_a_file_without_signing_in(client, begun):
    for name, arguments in (("new-dataset", []), ("upload", [begun.pk]), ("upload-pieces", [begun.pk])):
        assert client.get(reverse(name, args=arguments)).status_code == 302


def test_a_foreign_page_cannot_send_a_piece(alice, begun):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert send(strict, begun.pk, 0, b"x").status_code == 403


def test_the_state_is_json(person, begun):
    told = json.loads(person.get(reverse("upload-pieces", args=[begun.pk])).content)
    assert (told["received"], told["size"], told["fileName"]) == (0, len(BODY), "pets.zip")

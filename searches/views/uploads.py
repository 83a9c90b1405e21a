"""A dataset on its way in: the form, the pieces of the file, and the page that follows it until it is one."""

from typing import Any, cast

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nas.sentences import Refused
from searches import receiving
from searches.estimate import alive_workers
from searches.forms.upload import UploadForm
from searches.incoming import Elsewhere
from searches.models import Upload
from searches.say import say
from searches.views.access import changeable_upload, may_change, person
from searches.words import upload_words

PIECE_BYTES = 2_000_000  # what Django keeps in memory of a body


@require_http_methods(["GET", "POST"])
def new_dataset(request: HttpRequest) -> HttpResponse:
    """Ask for a file and what it is; take it whole, or, for a browser that sends it in pieces, make room for it."""
    in_pieces = request.headers.get("X-Pieces") == "yes"
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        try:
            upload = _begun(request, form, in_pieces=in_pieces)
        except Refused as refused:
            form.add_error("name" if "name" in refused.sentence.values else "file", say(refused.sentence))
        else:
            return JsonResponse(_state(upload), status=201) if in_pieces else redirect(upload)
    if in_pieces:
        problems = [
            {"field": form[name].id_for_label, "label": str(form[name].label), "sentence": str(sentence)}
            for name, sentences in form.errors.items()
            for sentence in sentences
        ]
        return JsonResponse({"problems": problems}, status=422)
    context = {"form": form, "words": upload_words(), "piece": PIECE_BYTES, "workers": alive_workers()}
    return render(request, "searches/dataset_new.html", context)


@require_GET
def upload(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show how far a file is, or why it is no dataset; htmx asks each second, saying which state it shows."""
    found = get_object_or_404(Upload.objects.select_related("owner"), pk=upload_id)
    if request.headers.get("HX-Request"):
        if found.is_ready:
            return HttpResponse(headers={"HX-Redirect": found.get_absolute_url()})
        if request.GET.get("state") != found.status:
            return HttpResponse(headers={"HX-Refresh": "true"})
    elif found.is_ready:
        return redirect(found)
    context = {
        "upload": found,
        "may_change": may_change(person(request), found),
        "workers": alive_workers(found.queue),
        "words": upload_words(),
        "piece": PIECE_BYTES,
        "state": _state(found),
    }
    return render(request, "searches/upload.html", context)


@require_http_methods(["GET", "POST"])
def pieces(request: HttpRequest, upload_id: int) -> JsonResponse:
    """Say how far a file is, or take its next piece, which begins at `?offset=`."""
    found = changeable_upload(request, upload_id)
    if request.method == "GET":
        return JsonResponse(_state(found))
    offset = request.GET.get("offset", "")
    if not offset.isdigit() or int(request.headers.get("Content-Length") or 0) > 4 * PIECE_BYTES:
        return JsonResponse({"sentence": _("This is no piece of a file.")}, status=400)
    try:
        return JsonResponse(_state(receiving.take(found, int(offset), request)))
    except Elsewhere as elsewhere:
        found.refresh_from_db()
        return JsonResponse({**_state(found), "received": elsewhere.received}, status=409)
    except Refused as refused:
        return JsonResponse({"sentence": say(refused.sentence)}, status=507)


@require_POST
def give_up(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Forget a file that is no dataset."""
    found = changeable_upload(request, upload_id)
    if found.is_ready or not receiving.give_up(found):
        messages.warning(request, _("It is a dataset already."))
        return redirect(found)
    messages.success(request, _("{name} was given up; nothing of it is left.").format(name=found.file_name))
    return redirect("datasets")


def _begun(request: HttpRequest, form: UploadForm, *, in_pieces: bool) -> Upload:
    said = form.cleaned_data
    upload = receiving.begin(person(request), form.asked, said["file_name"], said["size"])
    if in_pieces:
        return upload
    try:
        for name in ("file", "test") if upload.test else ("file",):
            upload = receiving.take(upload, upload.received, cast("UploadedFile[Any]", said[name]))
    except Refused:
        receiving.give_up(upload)
        raise
    return upload


def _state(upload: Upload) -> dict[str, Any]:
    return {
        "received": upload.received,
        "size": upload.size,
        "status": upload.status,
        "fileName": upload.file_name,
        "fileSize": upload.file_size,
        "testName": upload.test.name if upload.test else "",
        "sentence": say(upload.sentence) if upload.sentence else "",
        "page": reverse("upload", args=[upload.pk]),
        "pieces": reverse("upload-pieces", args=[upload.pk]),
    }

"""Addresses of the application's pages."""

from django.urls import path

from searches.views import dashboard, datasets, races, rules, runs, searches, tables, uploads, wizard

SETUP = "searches/<int:run_id>/setup/<slug:step>/"

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("demo/", dashboard.demo, name="demo"),
    path("datasets/", datasets.datasets, name="datasets"),
    path("datasets/add/", uploads.new_dataset, name="new-dataset"),
    path("datasets/uploads/<int:upload_id>/", uploads.upload, name="upload"),
    path("datasets/uploads/<int:upload_id>/pieces/", uploads.pieces, name="upload-pieces"),
    path("datasets/uploads/<int:upload_id>/give-up/", uploads.give_up, name="upload-give-up"),
    path("datasets/<slug:name>/", datasets.dataset, name="dataset"),
    path("datasets/<slug:name>/delete/", datasets.delete, name="dataset-delete"),
    path("datasets/<slug:name>/search/", datasets.search_on, name="search-on"),
    path("datasets/<slug:name>/<slug:part>/<int:index>.png", datasets.image, name="dataset-image"),
    path("tables/", tables.tables, name="tables"),
    path("tables/<slug:name>/delete/", tables.delete_table, name="table-delete"),
    path("tables/<slug:name>/rehearse/", wizard.rehearse, name="rehearse"),
    path("races/", races.races, name="races"),
    path("races/new/", races.new_race, name="new-race"),
    path("races/<int:race_id>/", races.race, name="race"),
    path("races/<int:race_id>/curves.json", races.curves, name="race-curves"),
    path("races/<int:race_id>/stop/", races.stop, name="race-stop"),
    path("races/<int:race_id>/delete/", races.delete, name="race-delete"),
    path("races/<int:race_id>/report.html", races.report, name="race-report"),
    path("races/<int:race_id>/lanes.csv", races.lanes, name="race-lanes"),
    path("searches/", searches.searches, name="searches"),
    path("searches/new/", wizard.new_search, name="new-search"),
    path("searches/<int:run_id>/copy/", searches.copy, name="run-copy"),
    path("searches/<int:run_id>/delete/", searches.delete, name="run-delete"),
    path(SETUP, wizard.wizard, name="wizard"),
    path(f"{SETUP}estimate/", wizard.estimate, name="wizard-estimate"),
    path(f"{SETUP}samples/", wizard.samples, name="wizard-samples"),
    path(f"{SETUP}rules/", rules.rules, name="wizard-rules"),
    path(f"{SETUP}share/", rules.share, name="wizard-share"),
    path("searches/<int:run_id>/", runs.run, name="run"),
    path("searches/<int:run_id>/snapshot.json", runs.snapshot, name="run-snapshot"),
    path("searches/<int:run_id>/diagram/", runs.diagram, name="run-diagram"),
    path("searches/<int:run_id>/candidates/", runs.candidates, name="run-candidates"),
    path("searches/<int:run_id>/candidates/<int:number>/", runs.candidate, name="candidate"),
    path("searches/<int:run_id>/pause/", runs.pause, name="run-pause"),
    path("searches/<int:run_id>/resume/", runs.resume, name="run-resume"),
    path("searches/<int:run_id>/stop/", runs.stop, name="run-stop"),
    path("searches/<int:run_id>/finish/", runs.finish, name="run-finish"),
    path("searches/<int:run_id>/epochs/<int:number>/", runs.epoch, name="run-epoch"),
    path("searches/<int:run_id>/epochs/<int:number>/take/", runs.take, name="run-take"),
    path("searches/<int:run_id>/files/<str:name>", runs.file, name="run-file"),
]

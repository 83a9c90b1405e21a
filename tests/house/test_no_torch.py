"""The web process and the parents of the workers stay small: none of them loads torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LOADS = {
    "web": "import nasweb.asgi\nfrom django.urls import get_resolver\nget_resolver().url_patterns",
    "worker": "from nasweb.celery import app\nimport django\ndjango.setup()\napp.loader.import_default_modules()\n"
    "assert any('evaluate' in name for name in app.tasks), list(app.tasks)",
    "sweep": "import django\ndjango.setup()\nimport searches.management.commands.sweep",
    "supervisor": "import django\ndjango.setup()\nimport nasweb.management.commands.up",
}


@pytest.mark.parametrize("process", LOADS)
def test_torch_is_not_loaded_by(process: str) -> None:
    program = f"{LOADS[process]}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False
    )
    assert ran.returncode == 0, ran.stderr
    loaded = set(json.loads(ran.stdout.splitlines()[-1]))
    assert not loaded & {"torch", "torchvision", "sklearn", "onnx", "plotly"}

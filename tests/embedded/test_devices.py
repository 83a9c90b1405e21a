from pathlib import Path

import pytest

from nasweb.embedded import devices


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '0, GPU-aaaa'\necho '1, GPU-bbbb'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.usefixtures("two_gpus")
def test_each_gpu_gets_a_worker_that_sees_only_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    found = devices.gpus()
    assert found == ["GPU-aaaa", "GPU-bbbb"]
    assert devices.usual_workers(len(found)) == 2
    seen = [devices.worker_environment(index, 2, found)["CUDA_VISIBLE_DEVICES"] for index in range(2)]
    assert seen == found


def test_slots_share_a_gpu_and_its_memory_and_one_worker_may_have_all_gpus() -> None:
    found = ["GPU-aaaa", "GPU-bbbb"]
    assert devices.usual_workers(2, 3) == 6
    packed = [devices.worker_environment(index, 6, found) for index in range(6)]
    assert [one["CUDA_VISIBLE_DEVICES"] for one in packed] == found * 3
    assert sum(float(one["NAS_MEMORY_SHARE"]) for one in packed[::2]) < 1
    uneven = [devices.worker_environment(index, 3, found) for index in range(3)]
    assert {one["NAS_MEMORY_SHARE"] for one in uneven} == {"0.475"}
    whole = devices.worker_environment(0, 1, found)
    assert whole["CUDA_VISIBLE_DEVICES"] == "GPU-aaaa,GPU-bbbb"
    assert "NAS_MEMORY_SHARE" not in whole


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("allowed", "expected"),
    [("1", ["GPU-bbbb"]), ("", []), ("-1", []), ("MIG-1", ["MIG-1"]), ("1,0", ["GPU-bbbb", "GPU-aaaa"])],
)
def test_what_the_person_allows_stays_allowed(
    allowed: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", allowed)
    assert devices.gpus() == expected


def test_a_machine_without_gpus_shares_its_cores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(devices, "cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert devices.gpus() == []
    assert devices.usual_workers(0) == 4
    environment = devices.worker_environment(3, 4, [])
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["NASWEB_WORKER_NAME"] == "worker3"
    assert "CUDA_VISIBLE_DEVICES" not in environment


def test_a_thread_count_that_somebody_has_set_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert "OMP_NUM_THREADS" not in devices.worker_environment(0, 2, [])

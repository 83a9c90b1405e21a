from pathlib import Path

import pytest

from nas.sentences import Refused
from nasweb import environment

HOME = Path("/home/somebody")


def test_sqlite_writers_take_the_lock_at_once() -> None:
    options = environment.database("", HOME)["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]


def test_a_postgresql_address_is_taken_apart() -> None:
    found = environment.database("postgresql://nas:p%40ss@db.lan:5433/nasweb?sslmode=require", HOME)
    told = {key: found[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")}
    assert told == {
        "NAME": "nasweb",
        "USER": "nas",
        "PASSWORD": "p@ss",
        "HOST": "db.lan",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


@pytest.mark.parametrize("url", ["mysql://db/nasweb", "nasweb.db:what"])
def test_another_database_is_refused_by_its_name(url: str) -> None:
    with pytest.raises(Refused, match=url.partition(":")[0]):
        environment.database(url, HOME)


def test_storage_is_a_folder_of_the_home_unless_told_otherwise() -> None:
    assert environment.storage("", HOME)["OPTIONS"]["location"] == "/home/somebody/storage"
    assert environment.storage("/big/disk", HOME)["OPTIONS"]["location"] == "/big/disk"
    assert environment.storage("file:///big/disk", HOME)["OPTIONS"]["location"] == "/big/disk"


def test_a_bucket_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    with pytest.raises(Refused, match="django-storages"):
        environment.storage("s3://bucket/prefix", HOME)


def test_a_bucket_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: name)
    options = environment.storage("s3://bucket/some/prefix?endpoint_url=http://minio:9000", HOME)["OPTIONS"]
    assert options == {"bucket_name": "bucket", "location": "some/prefix", "endpoint_url": "http://minio:9000"}


def test_listening_everywhere_does_not_believe_any_host_name() -> None:
    allowed = environment.allowed_hosts("0.0.0.0")
    assert "127.0.0.1" in allowed
    assert "*" not in allowed


def test_a_word_where_a_number_belongs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASWEB_LEASE_SECONDS", "soon")
    with pytest.raises(Refused, match=r"NASWEB_LEASE_SECONDS.*soon"):
        environment.number("NASWEB_LEASE_SECONDS", 30)


def test_the_channel_layer_never_times_out_an_idle_consumer() -> None:
    layer = environment.channel_layer("redis://somewhere/1")
    assert layer["CONFIG"]["hosts"] == [{"address": "redis://somewhere/1", "socket_timeout": None}]

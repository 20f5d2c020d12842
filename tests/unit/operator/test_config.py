"""Settings come from their four sources in order, and a wrong one is named in one line."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from benefit_programs.api.replicas import REPLICAS_MAX
from benefit_programs.config import (
    REPLICA_URLS_MAX,
    LogFormat,
    Settings,
    WrongSetting,
    read_settings,
    references,
    unknown_variables,
)

ROOT = Path(__file__).resolve().parent.parent.parent.parent


def test_defaults_serve_this_machine_from_a_file() -> None:
    """Without any setting, the service listens on this machine and keeps its data in ./data."""
    settings = read_settings(environment={})
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8080, 1)
    assert settings.is_sqlite
    assert settings.sqlite_path == Path("data/benefits.sqlite3")


def test_last_source_counts(tmp_path: Path) -> None:
    """The file beats the default, the environment the file, and an option everything."""
    file = tmp_path / "benefits.toml"
    file.write_text('host = "file"\nport = 1001\nlog_format = "json"\n')
    environment = {"BENEFITS_CONFIG": str(file), "BENEFITS_PORT": "1002", "BENEFITS_HOST": "env"}
    settings = read_settings({"port": "1003", "host": None}, environment=environment)
    assert (settings.log_format, settings.host, settings.port) == (LogFormat.JSON, "env", 1003)


def test_empty_variable_says_nothing() -> None:
    """A variable that is set to nothing counts as not set."""
    assert read_settings(environment={"BENEFITS_PORT": ""}).port == 8080


def test_origins_are_a_list(tmp_path: Path) -> None:
    """Origins are named with commas between, or as a list in the file; case makes none two."""
    text = "https://Shop.example, http://localhost:5173,https://shop.example,http://[::1]:80"
    expected = ("https://shop.example", "http://localhost:5173", "http://[::1]:80")
    environment = {"BENEFITS_CORS_ORIGINS": text}
    assert read_settings(environment=environment).cors_origins == expected
    file = tmp_path / "benefits.toml"
    file.write_text('cors_origins = ["*"]\n')
    assert read_settings(environment={"BENEFITS_CONFIG": str(file)}).cors_origins == ("*",)


def test_database_url_beats_data_dir() -> None:
    """A database URL wins over the data folder, and names either engine."""
    flags = {"data_dir": "elsewhere", "database_url": "sqlite:////srv/x.sqlite3"}
    assert read_settings(flags, environment={}).sqlite_path == Path("/srv/x.sqlite3")
    flags["database_url"] = "postgresql://db/benefits"
    settings = read_settings(flags, environment={})
    assert not settings.is_sqlite
    assert settings.url == "postgresql://db/benefits"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BENEFITS_HOST", "  "),
        ("BENEFITS_PORT", "65536"),
        ("BENEFITS_PORT", "-1"),
        ("BENEFITS_PORT", "80x"),
        ("BENEFITS_PORT", "\u0661\u0662"),
        ("BENEFITS_DATABASE_URL", "mysql://db/benefits"),
        ("BENEFITS_DATABASE_URL", "sqlite:///"),
        ("BENEFITS_DATABASE_URL", "postgresql://db:port/benefits"),
        ("BENEFITS_DATABASE_URL", "postgresql://db:5432,other:port/benefits"),
        ("BENEFITS_DATABASE_URL", "postgresql://[::1/benefits"),
        ("BENEFITS_BOOTSTRAP_API_KEY", "short"),
        ("BENEFITS_BOOTSTRAP_API_KEY", "a key with spaces in it"),
        ("BENEFITS_LOG_FORMAT", "xml"),
        ("BENEFITS_POSTGRES_POOLER", "session"),
        ("BENEFITS_WORKERS", "0"),
        ("BENEFITS_WORKERS", "65"),
        ("BENEFITS_REQUESTS_PER_SECOND", "-1"),
        ("BENEFITS_REQUESTS_AT_ONCE", "0"),
        ("BENEFITS_CORS_ORIGINS", "shop.example"),
        ("BENEFITS_CORS_ORIGINS", "https://shop.example/"),
        ("BENEFITS_CORS_ORIGINS", "https://shop.example, null"),
        ("BENEFITS_BODY_BYTES_MAX", "1023"),
    ],
)
def test_wrong_value_is_named(variable: str, value: str) -> None:
    """A value that can't be used is refused in one line that begins with where it came from."""
    with pytest.raises(WrongSetting) as refusal:
        read_settings(environment={variable: value})
    assert str(refusal.value).startswith(f"{variable}: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db/benefits",
        "postgresql:///benefits?host=/var/run/postgresql",
        "postgresql://user:p%40ss:word@[::1]:5432/benefits",
        "postgres://db:5432,other:5433/benefits",
    ],
)
def test_every_form_of_a_postgres_url_is_taken(url: str) -> None:
    """A host with or without a port, several of them, an address, or none at all."""
    assert read_settings(environment={"BENEFITS_DATABASE_URL": url}).url == url


def test_wrong_option_is_named() -> None:
    """A wrong option is named as it was typed."""
    with pytest.raises(WrongSetting, match=r"^--log-format: must be console or json, not 'xml'$"):
        read_settings({"log_format": "xml"}, environment={})


def test_secrets_are_never_repeated() -> None:
    """Neither an error nor the settings' own text repeats a secret, right or wrong."""
    with pytest.raises(WrongSetting) as refusal:
        read_settings(environment={"BENEFITS_DATABASE_URL": "mysql://user:hunter2@db"})
    assert "hunter2" not in str(refusal.value)
    key = "a-key-of-sixteen-letters"
    settings = read_settings(environment={"BENEFITS_BOOTSTRAP_API_KEY": key})
    assert settings.bootstrap_api_key == key
    assert key not in repr(settings)


@pytest.mark.parametrize("password", ["hunt#er2", "hunt/er2", "hunt?er2", "hunt@er2", "[hunt]er2"])
def test_password_has_escapes(password: str) -> None:
    """A password that would be read as another part of the URL is refused, and not repeated."""
    with pytest.raises(WrongSetting, match=r"^BENEFITS_DATABASE_URL: .*%23 for #") as refusal:
        read_settings(environment={"BENEFITS_DATABASE_URL": f"postgresql://user:{password}@db/x"})
    assert "hunt" not in str(refusal.value)
    url = f"postgresql://user:{quote(password, safe='')}@db/x"
    assert read_settings(environment={"BENEFITS_DATABASE_URL": url}).url == url


@pytest.mark.parametrize(
    ("content", "named"),
    [("prot = 1\n", "prot"), ("port = true\n", "port"), ("port =\n", "BENEFITS_CONFIG")],
)
def test_wrong_file_is_named(tmp_path: Path, content: str, named: str) -> None:
    """A file with an unknown name, a wrong value or no TOML at all is refused."""
    file = tmp_path / "benefits.toml"
    file.write_text(content)
    with pytest.raises(WrongSetting, match=rf"^{named}"):
        read_settings(environment={"BENEFITS_CONFIG": str(file)})


def test_secret_may_be_in_a_file(tmp_path: Path) -> None:
    """A variable with _FILE at its end names the file of a secret; the line's end doesn't count."""
    file = tmp_path / "database-url"
    file.write_text("postgresql://u:hunter2@db/benefits\n")
    environment = {"BENEFITS_DATABASE_URL_FILE": str(file)}
    assert read_settings(environment=environment).url == "postgresql://u:hunter2@db/benefits"
    assert unknown_variables(environment) == []
    assert unknown_variables({"BENEFITS_PORT_FILE": str(file)}) == ["BENEFITS_PORT_FILE"]


@pytest.mark.parametrize("content", [None, b"", b"mysql://u:hunter2@db", b"\xff", b"x" * 65_537])
def test_wrong_file_of_a_secret_is_named(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing, empty, wrong, no text or too large is refused, and not repeated."""
    file = tmp_path / "database-url"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(WrongSetting, match=r"^BENEFITS_DATABASE_URL_FILE: ") as refusal:
        read_settings(environment={"BENEFITS_DATABASE_URL_FILE": str(file)})
    assert "hunter2" not in str(refusal.value)


def test_secret_is_said_once() -> None:
    """A secret that is in a variable and in a file is refused: one of them would not count."""
    environment = {"BENEFITS_SECRET_KEY": "x", "BENEFITS_SECRET_KEY_FILE": "/run/secrets/key"}
    with pytest.raises(WrongSetting, match=r"^BENEFITS_SECRET_KEY and BENEFITS_SECRET_KEY_FILE"):
        read_settings(environment=environment)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that isn't there is refused, for it was asked for."""
    with pytest.raises(WrongSetting, match=r"^BENEFITS_CONFIG: .*can't be read"):
        read_settings(environment={"BENEFITS_CONFIG": str(tmp_path / "none.toml")})


def test_several_processes_need_postgres() -> None:
    """Several processes on a SQLite file are refused, on PostgreSQL they are fine."""
    with pytest.raises(WrongSetting, match=r"^workers: "):
        read_settings({"workers": "2"}, environment={})
    flags = {"workers": "2", "database_url": "postgresql://db/benefits"}
    assert read_settings(flags, environment={}).workers == 2


def test_replicas_are_single_servers_of_postgres(tmp_path: Path) -> None:
    """They are named with commas between, or as a list in the file; one URL names one server."""
    urls = ("postgresql://u:a%2Cb@one/benefits", "postgres://two:5433/benefits?sslmode=require")
    database = {"BENEFITS_DATABASE_URL": "postgresql://db,db2/benefits"}
    for text in (",".join(urls), ", ".join(urls), "\n".join(urls)):
        environment = {**database, "BENEFITS_REPLICA_URLS": text}
        assert read_settings(environment=environment).replica_urls == urls
    file = tmp_path / "benefits.toml"
    file.write_text(f"replica_urls = {list(urls)}\n")
    environment = {**database, "BENEFITS_CONFIG": str(file)}
    assert read_settings(environment=environment).replica_urls == urls
    for wrong in ("postgresql://u:secret@one,two/benefits", "sqlite:///x", "postgresql://:0/x"):
        with pytest.raises(WrongSetting, match="BENEFITS_REPLICA_URLS: must ") as refused:
            read_settings(environment={**database, "BENEFITS_REPLICA_URLS": wrong})
        assert "secret" not in str(refused.value)
    many = ",".join(f"postgresql://r{number}/x" for number in range(REPLICA_URLS_MAX + 1))
    with pytest.raises(WrongSetting, match="at most 8"):
        read_settings(environment={**database, "BENEFITS_REPLICA_URLS": many})


def test_file_has_no_replicas() -> None:
    """Replicas need PostgreSQL: beside a SQLite file they would be another database."""
    with pytest.raises(WrongSetting, match="replica_urls: a SQLite file has no replicas"):
        read_settings(environment={"BENEFITS_REPLICA_URLS": "postgresql://one/benefits"})


def test_each_replica_has_metrics() -> None:
    """There are as many places in the metrics as the setting takes replicas."""
    assert REPLICAS_MAX == REPLICA_URLS_MAX


def test_every_setting_is_documented() -> None:
    """Each setting has its line in the reference, with its variable."""
    named = {each.name: each.variable for each in references()}
    expected = {name: f"BENEFITS_{name.upper()}" for name in Settings.__dataclass_fields__}
    assert named == expected

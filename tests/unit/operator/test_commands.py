"""Commands tell what they did, for people and for programs, and end with the code they promise."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benefit_programs.api.method import OPERATING
from benefit_programs.api.methods import METHODS
from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.settings import read_assignments, require_usable_providers
from benefit_programs.cli.welcome import start_text
from benefit_programs.config import Settings
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.settings import (
    IdMode,
    PolicyProviderSetting,
    TenantSettings,
    UnknownPolicyApps,
)
from tests.support.serving import run_benefits

UNREACHABLE = "postgresql://user:hush@127.0.0.1:1/none"
NOBODY = "00000000-0000-4000-8000-00000000ffff"


@pytest.fixture
def nowhere(tmp_path: Path) -> tuple[str, str]:
    """A folder for data that nobody has made yet."""
    return ("--data-dir", str(tmp_path / "data"))


@pytest.fixture
def where(nowhere: tuple[str, str]) -> tuple[str, str]:
    """A folder with a database that has nothing but its schema."""
    assert run_benefits("migrate", *nowhere).returncode == 0
    return nowhere


def run_json(*arguments: str) -> Any:
    done = run_benefits(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_tenant_and_key_in_an_empty_database(where: tuple[str, str]) -> None:
    """Tenants and keys are made without a server; lists show whole ids and never a secret."""
    tenant = run_json("tenants", "create", "Gym", *where)
    its_own = ("--app", NOBODY, "--scope", "read-limited", "--tenant", str(tenant["id"]))
    made = run_json("keys", "create", "app", *its_own, *where)
    assert made["key"]["tenantIds"] == [tenant["id"]]
    assert made["key"]["identity"] == {"type": "APP", "id": NOBODY}
    assert made["key"]["scopes"] == ["SCOPE.BENEFIT_PROGRAMS.READ_LIMITED"]
    listed = run_benefits("keys", "list", *where).stdout
    assert made["key"]["id"] in listed
    assert NOBODY in listed
    assert made["secret"] not in listed
    assert tenant["siteId"] in run_benefits("tenants", "list", *where).stdout


def test_new_key_says_what_it_may_call(where: tuple[str, str]) -> None:
    """An administrator's key may call everything; an app's not what is left to administrators."""
    everything = ("--role", "operator", "--installation")
    assert run_json("keys", "create", "all", *everything, *where)["refusedMethods"] == []
    manager = run_json("keys", "create", "usual", *where)["refusedMethods"]
    assert {METHODS[each].scope for each in manager} == OPERATING
    app = run_json("keys", "create", "app", "--app", NOBODY, *where)
    assert app["refusedMethods"] == [
        name for name, method in METHODS.items() if method.for_administrators
    ]
    said = run_benefits("keys", "create", "app", "--app", NOBODY, *where).stdout
    assert "It may call all methods but " in said
    assert "updateSettings" in said
    reader = run_benefits("keys", "create", "r", "--scope", "read-limited", *where).stdout
    assert "It may not call " in reader


def test_migrate_says_what_it_did(nowhere: tuple[str, str]) -> None:
    """The first migration lists its revisions, the second that there is nothing to do."""
    first = run_json("migrate", *nowhere)
    assert first["applied"][-1] == first["revision"]
    assert run_json("migrate", *nowhere)["applied"] == []
    assert run_benefits("migrate", *nowhere).stdout.startswith("Nothing to do")


@pytest.mark.parametrize(
    "words",
    [
        ["keys", "list"],
        ["keys", "create", "till"],
        ["tenants", "create", "Gym"],
        ["settings", "set", "timeZone=UTC"],
        ["jobs", "list"],
        ["verify"],
        ["export-programs", "members.csv"],
        ["import-programs", "rows.csv"],
        ["export", "gym"],
        ["pools", "list"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("is_there", [False, True], ids=["no file", "empty file"])
def test_no_command_makes_a_database(
    words: list[str], *, is_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a wrong folder a command says where it has looked and what to do, and makes nothing."""
    monkeypatch.chdir(tmp_path)
    rows, file = tmp_path / "rows.csv", tmp_path / "data" / "benefits.sqlite3"
    rows.touch()
    if is_there:
        file.parent.mkdir()
        file.touch()
    before = sorted(tmp_path.rglob("*"))
    done = run_benefits(*words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert f"There is no database at {file}. " in done.stderr
    assert "--data-dir" in done.stderr
    assert "`benefits migrate`" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before
    assert not is_there or file.stat().st_size == 0


@pytest.mark.parametrize("words", [["pools", "list"], ["export", "gym"]], ids=" ".join)
def test_callers_hear_how_to_name_a_service(nowhere: tuple[str, str], words: list[str]) -> None:
    """A command that could call a service instead says how to name one."""
    said = run_benefits(*words, *nowhere).stderr
    assert "BENEFITS_URL and BENEFITS_API_KEY" in said


def test_settings_are_shown_after_a_change(where: tuple[str, str]) -> None:
    """A change shows all settings as they are now."""
    run_json("tenants", "create", "Gym", *where)
    changed = run_json("settings", "set", "timeZone=Europe/Berlin", "firstDayOfWeek=SUNDAY", *where)
    assert changed["timeZone"] == "Europe/Berlin"
    assert changed["firstDayOfWeek"] == "SUNDAY"
    assert run_json("settings", "get", *where) == changed


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["keys", "revoke", NOBODY], 5),
        (["settings", "get", "--tenant", "7"], 5),
        (["keys", "create", "k", "--app", NOBODY, "--member", NOBODY], 2),
        (["keys", "create", "k", "--permission", "NONE"], 2),
        (["keys", "create", "k", "--role", "cleaner"], 2),
        (["keys", "create", "k", "--role", "reader", "--scope", "read"], 2),
        (["keys", "create", "k", "--app", NOBODY, "--role", "operator"], 2),
        (["keys", "create", "k", "--member", NOBODY, "--installation"], 2),
        (["keys", "list", "--url", "http://127.0.0.1:1", "--api-key", "k"], 2),
        (["jobs", "list", "--url", "http://127.0.0.1:1", "--api-key", "k"], 2),
        (["keys", "create", "k", "--expires", "2020-01-01T00:00:00Z"], 2),
        (["tenants", "create", "Gym", "--site-id", "no-guid"], 2),
        (["migrate", "--database-url", "postgresql://127.0.0.1:1/none"], 3),
    ],
)
def test_failures_end_with_their_code(
    where: tuple[str, str], arguments: list[str], code: int
) -> None:
    """What can't be done ends with its code and one line on standard error."""
    if "--database-url" not in arguments:
        arguments = [*arguments, *where]
    done = run_benefits(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("benefits: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["jobs", "list", "--data-dir", "none"], "/none/benefits.sqlite3. "),
        (["keys", "list", "--data-dir", "file/data"], "/file/data/benefits.sqlite3. "),
        (["migrate", "--data-dir", "file/data"], "file/data: Not a directory"),
        (["keys", "list", "--database-url", UNREACHABLE], "can't be used: 127.0.0.1:1: "),
        (["pools", "list", "--database-url", UNREACHABLE], "can't be used: 127.0.0.1:1: "),
    ],
)
def test_database_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    """Whichever command needs it, the file, folder or host that can't be used is named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    done = run_benefits(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert said in done.stderr
    assert "hush" not in done.stderr


def test_secrets_come_from_files_and_are_not_shown(where: tuple[str, str], tmp_path: Path) -> None:
    """A list comes from a file, so that no secret is typed; what is secret is not shown again."""
    provider = {
        "appId": NOBODY,
        "url": "https://policy.example/ask",
        "secret": "hush-hush-hush-hush",
    }
    file = tmp_path / "providers.json"
    file.write_text(json.dumps([provider]))
    run_json("tenants", "create", "Gym", *where)
    changed = run_json("settings", "set", f"policyProviders=@{file}", *where)
    del provider["secret"]
    assert changed["policyProviders"] == [provider]
    shown = run_benefits("settings", "get", *where).stdout
    assert provider["url"] in shown
    assert "hush" not in shown


@pytest.mark.parametrize("urls", [["ftp://policy.example"], ["https://a.example"] * 2])
def test_useless_providers_are_refused(urls: list[str]) -> None:
    """A provider that could never be asked is refused, and so are two for one app."""
    providers = tuple(
        PolicyProviderSetting(app_id=NOBODY, url=url, secret="hush-hush-hush-hush") for url in urls
    )
    with pytest.raises(WrongUsage):
        require_usable_providers(TenantSettings(policy_providers=providers))


def test_schemas_come_from_files(where: tuple[str, str], tmp_path: Path) -> None:
    """A schema of extended fields is registered from a file, unless it can't be used."""
    schema = {"entity": "POOL", "namespace": "@gym/club", "schema": {"type": "object"}}
    file = tmp_path / "schemas.json"
    run_json("tenants", "create", "Gym", *where)
    for document, code in ((schema, 0), (schema | {"schema": {"type": "objekt"}}, 2)):
        file.write_text(json.dumps([document]))
        done = run_benefits("settings", "set", f"extendedFieldSchemas=@{file}", *where)
        assert done.returncode == code, done.stderr
    assert "extendedFieldSchemas[0].schema.type" in done.stderr
    flag = run_json("settings", "set", "extendedFieldsRequireSchema=true", *where)
    assert flag["extendedFieldsRequireSchema"] is True
    assert flag["extendedFieldSchemas"] == [{**schema, "readAppIds": [], "writeAppIds": []}]


def test_assignments_become_settings() -> None:
    """Names and values are those of the wire; no value means the default."""
    assert read_assignments(["idMode=OPEN", "jobRetentionDays=7", "unknownPolicyApps="]) == {
        "id_mode": IdMode.OPEN,
        "job_retention_days": 7,
        "unknown_policy_apps": UnknownPolicyApps.FULFILLED,
    }


@pytest.mark.parametrize("assignment", ["timeZone", "time=UTC", "=UTC"])
def test_odd_assignments_are_refused(assignment: str) -> None:
    """An argument that is no assignment, or of no setting, is refused."""
    with pytest.raises(WrongUsage):
        read_assignments([assignment])


def test_missing_file_of_a_value_is_told() -> None:
    """A value from a file that isn't there is refused, and the file is named."""
    with pytest.raises(WrongUsage, match=r"^none\.json can't be read: No such file or directory$"):
        read_assignments(["policyProviders=@none.json"])


@pytest.mark.parametrize("assignment", ["idMode=LOOSE", "jobRetentionDays=0", "timeZone=7"])
def test_wrong_values_are_refused(assignment: str) -> None:
    """A value that its setting can't have is refused."""
    with pytest.raises(Invalid):
        read_assignments([assignment])


def test_first_requests_can_be_pasted_anywhere() -> None:
    """They export their variables, have fields as on the wire, and no comments: zsh has none."""
    pasted = start_text("http://127.0.0.1:8080", Settings(), "bp_secret").partition("shell:\n\n")[2]
    lines = pasted.splitlines()
    assert lines[:2] == [
        "export BENEFITS_URL=http://127.0.0.1:8080",
        "export BENEFITS_API_KEY=bp_secret",
    ]
    assert re.findall(r'"\w+_\w+":', pasted) == []
    assert [line for line in lines if "#" in line or "!" in line] == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(), "benefits keys create NAME"),
        (Settings(data_dir=Path("my club")), "benefits keys create NAME --data-dir 'my club'"),
        (Settings(database_url="postgresql://u:hush@db/b"), "benefits keys create NAME"),
    ],
)
def test_later_starts_say_how_to_get_a_key(settings: Settings, words: str) -> None:
    """Without a new key, a start names the page of all methods and the command that makes one."""
    said = start_text("http://127.0.0.1:8080", settings, None)
    assert f"For another API key: {words}\n" in said
    assert "http://127.0.0.1:8080/docs\n" in said
    assert "hush" not in said

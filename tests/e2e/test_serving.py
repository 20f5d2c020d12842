"""The service as an operator sees it: started, stopped, killed, and worked on while it serves."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.looking import LOOK_PAUSE_SECONDS
from tests.support.postgres import PostgresServer
from tests.support.serving import BENEFITS, ServerProcess, own_environment, run_benefits

NOWHERE = "/benefit-programs/v1/programs/00000000-0000-4000-8000-000000000000"
DEFINITIONS = "/benefit-programs/v1/program-definitions"
CHOSEN_KEY = "a-key-of-my-own-choice"
LOOKS_MAX = 10_000_000
CONNECTIONS = 40
ANSWER_SECONDS_MAX = 30
BENEFITS_SERVE = (*BENEFITS, "serve", "--port", "0")

Start = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers on one data folder; they are gone after the test."""
    started: list[ServerProcess] = []

    def start_one(*arguments: str, **variables: str) -> ServerProcess:
        arguments = arguments or ("--data-dir", str(tmp_path / "data"))
        log = tmp_path / f"log{len(started)}"
        started.append(ServerProcess(arguments, log, **variables))
        return started[-1]

    yield start_one
    for server in started:
        server.stop(signal.SIGKILL)


def run_json(*arguments: str) -> Any:
    done = run_benefits(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def status_with(server: ServerProcess, key: str) -> int:
    """The status of a read: 404 where the key is accepted, 401 where it isn't."""
    headers = {"authorization": key}
    url, seconds = server.url + NOWHERE, ANSWER_SECONDS_MAX
    return httpx.get(url, headers=headers, timeout=seconds, trust_env=False).status_code


def create_definition(server: ServerProcess, key: str, external_id: str) -> httpx.Response:
    definition = {"namespace": "gym", "externalId": external_id, "displayName": "Gym"}
    return httpx.post(
        server.url + DEFINITIONS,
        headers={"authorization": key},
        json={"programDefinition": definition},
        timeout=ANSWER_SECONDS_MAX,
        trust_env=False,
    )


def test_first_start_makes_a_key_and_later_ones_none(start: Start) -> None:
    """The first start tells a key that works; after a stop the same key and data go on."""
    first = start()
    assert first.first_key
    created = create_definition(first, first.first_key, "one")
    assert created.status_code == 200
    assert first.stop() == 0
    second = start()
    assert second.first_key is None
    definition_id = created.json()["programDefinition"]["id"]
    headers = {"authorization": first.first_key}
    url = f"{second.url}{DEFINITIONS}/{definition_id}"
    found = httpx.get(url, headers=headers, trust_env=False)
    assert found.json() == created.json()


def test_clean_stop_leaves_one_database_file(start: Start, tmp_path: Path) -> None:
    """After a stop all data is in the one file, and nobody else may read it."""
    server = start()
    assert server.first_key
    create_definition(server, server.first_key, "one")
    assert server.stop() == 0
    names = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert names == ["benefits.sqlite3", "benefits.sqlite3.lock"]
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_killed_server_starts_again_with_everything_answered(start: Start) -> None:
    """After kill -9 a new server takes the file at once, with all that was answered in it."""
    first = start()
    key = first.first_key
    assert key
    for number in range(20):
        assert create_definition(first, key, str(number)).status_code == 200
    first.stop(signal.SIGKILL)
    second = start()
    assert [create_definition(second, key, str(number)).status_code for number in range(20)] == (
        [409] * 20
    )
    assert create_definition(second, key, "another").status_code == 200


def test_second_server_is_refused(start: Start, tmp_path: Path) -> None:
    """A second server on the same file ends with code 3 and one line; the first goes on."""
    first = start()
    data = str(tmp_path / "data")
    done = run_benefits("serve", "--port", "0", "--data-dir", data)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert "served by another process" in done.stderr
    assert first.first_key
    assert status_with(first, first.first_key) == 404


def test_taken_port_is_told(start: Start, tmp_path: Path) -> None:
    """A port in use ends the start with code 4 and one line, before anything is made."""
    port = str(start().port)
    folder = tmp_path / "other"
    done = run_benefits("serve", "--port", port, "--data-dir", str(folder))
    assert done.returncode == 4
    assert done.stderr == (
        f"benefits: Can't listen on 127.0.0.1 port {port}: address already in use. Choose another "
        "port with --port or BENEFITS_PORT (make serve ARGS='--port 8081'); 0 takes a free one.\n"
    )
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "variables", "named"),
    [
        (["--port", "http"], {}, "--port"),
        (["--workers", "2"], {}, "workers"),
        ([], {"BENEFITS_LOG_FORMAT": "xml"}, "BENEFITS_LOG_FORMAT"),
        (["--database-url", "mysql://db"], {}, "--database-url"),
    ],
)
def test_wrong_setting_stops_the_start(
    arguments: list[str], variables: dict[str, str], named: str
) -> None:
    """A wrong setting ends the start with code 2 and one line that names it."""
    done = run_benefits("serve", *arguments, **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"benefits: {named}: ")
    assert done.stderr.count("\n") == 1


def test_misspelt_variables_are_named(start: Start, tmp_path: Path) -> None:
    """A server that starts warns of variables that are no settings, by name alone."""
    server = start(
        *("--data-dir", str(tmp_path / "data")),
        BENEFITS_DATABASE_UR="postgresql://user:hush@db/benefits",
        BENEFITS_API_KEY="hush",
    )
    assert server.stop() == 0
    warning = json.loads(server.log.partition("\n")[0])
    assert (warning["level"], warning["names"]) == ("warning", ["BENEFITS_DATABASE_UR"])
    assert "hush" not in server.log


def send_half(server: ServerProcess, key: str, body: bytes) -> socket.socket:
    """Send a request with half of its body, and return once the server waits for the rest."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    head = (
        f"POST {DEFINITIONS} HTTP/1.1\r\nhost: x\r\nauthorization: {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        "expect: 100-continue\r\n\r\n"
    )
    connection.sendall(head.encode())
    assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
    connection.sendall(body[: len(body) // 2])
    return connection


def wait_until_deaf(server: ServerProcess) -> None:
    """Return once the server takes no more connections, which is how a stop begins."""
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        except ConnectionError:
            return
        except TimeoutError:
            continue  # Nobody takes connections at the moment, and more may still wait than fit.
    raise AssertionError("the server still listens")


def test_stop_finishes_requests_under_way(start: Start) -> None:
    """SIGTERM lets a request that has begun end with its answer; then the server ends with 0."""
    require_finished(start())


def require_finished(server: ServerProcess) -> None:
    """Stop a server in the middle of a request, and fail unless that is answered first."""
    assert server.first_key
    body = json.dumps({"programDefinition": {"namespace": "gym", "externalId": "late"}}).encode()
    with send_half(server, server.first_key, body) as connection:
        server.process.send_signal(signal.SIGTERM)
        wait_until_deaf(server)
        connection.sendall(body[len(body) // 2 :])
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"externalId":"late"' in answer
    assert server.wait() == 0


@pytest.mark.full
def test_stop_waits_ten_seconds_at_most(start: Start) -> None:
    """A request that never ends can't hold up a stop for more than 10 seconds, and is answered."""
    server = start()
    assert server.first_key
    with send_half(server, server.first_key, b"x" * 100) as connection:
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"code":"UNAVAILABLE"' in answer


def test_key_revoked_beside_the_server_is_refused_within_a_second(
    start: Start, tmp_path: Path
) -> None:
    """On a live SQLite file a new key opens at once, and a revoked one is refused within 1 s."""
    server = start()
    where = ("--data-dir", str(tmp_path / "data"))
    made = run_json("keys", "create", "till", *where)
    assert status_with(server, made["secret"]) == 404
    run_json("keys", "revoke", made["key"]["id"], *where)
    revoked = time.monotonic()
    while status_with(server, made["secret"]) != 401:
        assert time.monotonic() - revoked < 1
    assert server.first_key
    assert status_with(server, server.first_key) == 404


def test_tenants_and_keys_are_kept_apart_beside_the_server(start: Start, tmp_path: Path) -> None:
    """Tenants and keys made beside a server count at once; each key opens its own tenant."""
    server = start()
    where = ("--data-dir", str(tmp_path / "data"))
    tenant = run_json("tenants", "create", "Spa", *where)
    made = run_json("keys", "create", "spa", "--tenant", str(tenant["id"]), *where)
    assert server.first_key
    assert create_definition(server, server.first_key, "same").status_code == 200
    assert create_definition(server, made["secret"], "same").status_code == 200
    assert create_definition(server, made["secret"], "same").status_code == 409
    assert [each["name"] for each in run_json("tenants", "list", *where)["tenants"]] == [
        "default",
        "Spa",
    ]


def test_chosen_key_is_the_first(start: Start) -> None:
    """A key from the environment works from the first start on, and none other is made."""
    server = start(BENEFITS_BOOTSTRAP_API_KEY=CHOSEN_KEY)
    assert server.first_key is None
    assert status_with(server, CHOSEN_KEY) == 404
    server.stop()
    assert CHOSEN_KEY not in server.log
    again = start(BENEFITS_BOOTSTRAP_API_KEY=CHOSEN_KEY)
    assert status_with(again, CHOSEN_KEY) == 404


def test_log_tells_requests_and_never_keys(start: Start) -> None:
    """The log is one JSON line a request, and holds no key, whether it was accepted or not."""
    server = start()
    assert server.first_key
    status_with(server, server.first_key)
    status_with(server, "bp_somebody-elses-key")
    server.stop()
    lines = [json.loads(line) for line in server.log.splitlines()]
    assert [line["status"] for line in lines if "status" in line] == [404, 401]
    assert server.first_key not in server.log
    assert "somebody" not in server.log


@contextmanager
def serving_people(folder: Path) -> Iterator[Iterator[str]]:
    """Start the service as people do, and yield the lines that it prints."""
    with subprocess.Popen(
        [*BENEFITS_SERVE, "--data-dir", str(folder)],
        env=own_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            yield iter(server.stdout.readline, "")
        finally:
            server.terminate()


def lines_to(lines: Iterator[str], last: str) -> list[str]:
    """The lines up to the one that begins so."""
    found = [next(lines)]
    while not found[-1].startswith(last):
        found.append(next(lines))
    return found


@pytest.mark.parametrize("shell", [["bash", "--noprofile", "--norc", "-i"], ["bash"], ["sh"]])
def test_printed_requests_work_when_pasted(tmp_path: Path, shell: list[str]) -> None:
    """What a first start prints can be pasted as it is; it ends with a redemption, and is kept."""
    with serving_people(tmp_path / "data") as lines:
        lines_to(lines, "To try it, ")
        pasted = "".join(lines_to(lines, "post benefits/redeem") + lines_to(lines, "echo"))
        pasted += "sh -c 'echo $BENEFITS_URL $BENEFITS_API_KEY'\n"
        done = subprocess.run(
            shell, input=pasted, capture_output=True, text=True, timeout=30, check=True
        )
    printed = [line for line in done.stdout.splitlines() if line.startswith(("{", "http"))]
    *answers, exported = printed
    pool_definition, item, provisioned, redeemed = map(json.loads, answers)
    benefit = pool_definition["poolDefinition"]["details"]["benefits"][0]
    assert item["item"]["itemSetId"] == benefit["itemSetId"]
    assert provisioned["program"]["status"] == "ACTIVE"
    assert list(redeemed) == ["transactionId"]
    url, key = exported.split()
    assert (url.startswith("http://127.0.0.1:"), key.startswith("bp_")) == (True, True)


def test_later_start_leads_to_a_key(start: Start, tmp_path: Path) -> None:
    """A later start says how to get a key, and what it says can be pasted."""
    start().stop()
    with serving_people(tmp_path / "data") as lines:
        said = lines_to(lines, "For another API key: ")[-1]
        _, _, command = said.strip().partition(": benefits ")
        done = run_benefits(*shlex.split(command))
    assert (done.returncode, "Keep it: it is not shown again." in done.stdout) == (0, True)


def test_several_processes_serve_postgres(start: Start, postgres_url: str) -> None:
    """On a migrated PostgreSQL database several processes serve, with one first key, and stop."""
    refused = run_benefits("serve", "--port", "0", "--database-url", postgres_url)
    assert refused.returncode == 3
    assert "run `benefits migrate`" in refused.stderr
    assert run_json("migrate", "--database-url", postgres_url)["applied"]
    server = start("--database-url", postgres_url, "--workers", "2")
    assert server.first_key
    for number in range(10):
        assert create_definition(server, server.first_key, str(number)).status_code == 200
    made = run_json("keys", "create", "till", "--database-url", postgres_url)
    assert status_with(server, made["secret"]) == 404
    assert server.stop() == 0
    assert "Traceback" not in server.log


def test_several_processes_stop_together(start: Start, postgres_url: str) -> None:
    """On SIGTERM no process takes connections any more, while requests under way have their end."""
    run_json("migrate", "--database-url", postgres_url)
    require_finished(start("--database-url", postgres_url, "--workers", "2"))


def test_log_tells_why_the_database_is_away(
    start: Start, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """What the database says of itself is in the line of a request that it failed."""
    run_json("migrate", "--database-url", postgres_url)
    server = start("--database-url", postgres_url)
    assert server.first_key
    postgres_server.drop_database(postgres_url)
    assert create_definition(server, server.first_key, "one").status_code == 503
    server.stop()
    lines = [json.loads(line) for line in server.log.splitlines()]
    (line,) = [line for line in lines if line.get("status") == 503]
    assert line["reason"]
    assert line["level"] == "warning"


def test_a_lost_process_is_replaced_and_told(start: Start, postgres_url: str) -> None:
    """The log says which process was lost, with which code it ended, and which one came."""
    run_json("migrate", "--database-url", postgres_url)
    server = start("--database-url", postgres_url, "--workers", "2")
    assert server.first_key
    assert create_definition(server, server.first_key, "one").status_code == 200
    lost = children_of(server)[0]
    os.kill(lost, signal.SIGKILL)
    line = wait_until_told(server)
    assert (line["lost"], line["exit_code"], line["level"]) == (lost, -signal.SIGKILL, "warning")
    assert line["pid"] != lost


def wait_until_told(server: ServerProcess) -> dict[str, Any]:
    """The line of the log that tells of a process that was lost."""
    told: list[dict[str, Any]] = []
    for _ in range(LOOKS_MAX):
        told = [json.loads(line) for line in server.log.splitlines() if '"lost"' in line]
        if told:
            break
        time.sleep(LOOK_PAUSE_SECONDS)
    (line,) = told
    return line


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody is forked")
def test_processes_share_connections(start: Start, postgres_url: str) -> None:
    """Each has about as many as the other, whichever wakes first."""
    run_json("migrate", "--database-url", postgres_url)
    server = start("--database-url", postgres_url, "--workers", "2")
    wait_until_both_serve(server)
    first, second = children_of(server)
    with ExitStack() as clients:
        connect(clients, server, CONNECTIONS)
        shares = [count_connections(server, child) for child in (first, second)]
        assert min(shares) >= CONNECTIONS // 4
    assert server.stop() == 0
    assert "Traceback" not in server.log


def wait_until_both_serve(server: ServerProcess) -> None:
    """Return when two processes have started."""
    for _ in range(LOOKS_MAX):
        if "benefits_processes 2.0" in httpx.get(f"{server.url}/metrics").text:
            return
        time.sleep(LOOK_PAUSE_SECONDS)


def connect(clients: ExitStack, server: ServerProcess, number: int) -> None:
    """Connect so many clients one after the other, each once the one before was taken."""
    for _ in range(number):
        client = clients.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        client.sendall(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n")
        assert client.recv(9) == b"HTTP/1.1 "


def count_connections(server: ServerProcess, child: int) -> int:
    """How many of the server's connections one of its processes has, as Linux tells it."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    port = f":{server.port:04X}"
    listening = "0A"
    taken = {line[9] for line in lines if line[1].endswith(port) and line[3] != listening}
    files = (each.readlink().name for each in Path(f"/proc/{child}/fd").iterdir())
    return sum(each.removeprefix("socket:[").removesuffix("]") in taken for each in files)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody is forked")
def test_processes_share_what_they_loaded(start: Start, postgres_url: str) -> None:
    """Most of a process's memory is what its main process has loaded for all of them."""
    run_json("migrate", "--database-url", postgres_url)
    server = start("--database-url", postgres_url, "--workers", "2")
    assert server.first_key
    assert create_definition(server, server.first_key, "one").status_code == 200
    for child in children_of(server):
        sizes = dict(
            line.split()[:2]
            for line in Path(f"/proc/{child}/smaps_rollup").read_text("ascii").splitlines()[1:]
        )
        own = int(sizes["Private_Clean:"]) + int(sizes["Private_Dirty:"])
        assert own < int(sizes["Rss:"]) / 2
    assert server.stop() == 0


def test_processes_end_with_their_main_one(start: Start, postgres_url: str) -> None:
    """If the main process of a server is killed, the others end soon, and the port is free."""
    run_json("migrate", "--database-url", postgres_url)
    server = start("--database-url", postgres_url, "--workers", "2")
    assert server.first_key
    assert create_definition(server, server.first_key, "one").status_code == 200
    children = children_of(server)
    assert children
    server.stop(signal.SIGKILL)
    for _ in range(LOOKS_MAX):
        if not any(Path(f"/proc/{child}").exists() for child in children):
            break
        time.sleep(LOOK_PAUSE_SECONDS)
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_process_that_cannot_start_is_a_failure(start: Start, postgres_url: str) -> None:
    """A server whose lost process can't be replaced ends with 3, for whoever watches it."""
    run_json("migrate", "--database-url", postgres_url)
    server = start("--database-url", postgres_url, "--workers", "2")
    assert server.first_key
    assert create_definition(server, server.first_key, "one").status_code == 200
    asyncio.run(make_newer(postgres_url))
    os.kill(children_of(server)[0], signal.SIGKILL)
    assert server.wait() == 3
    assert server.log.splitlines()[-1].startswith("benefits: The database can't be used: ")


async def make_newer(database_url: str) -> None:
    """Have the database look as if a newer version had made it."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("update alembic_version set version_num = '9999'")
    await connection.close()


def children_of(server: ServerProcess) -> list[int]:
    """The processes of a server that answer requests."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    )
    found = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    mine = str(server.process.pid)
    return [int(pid) for pid, parent, args in found if parent == mine and "_tracker" not in args]

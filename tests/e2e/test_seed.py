"""The published examples of ProvisionProgram work word for word.

Changed are the host, the credentials and the id of the definition, and nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.support.databases import run_apart
from tests.support.node import COMPILER_OPTIONS, PACKAGES, ensure_js_packages, node_executable

if TYPE_CHECKING:
    from tests.support.service import Server

HOST = "https://www.wixapis.com"
DEFINITION_ID = "e8c3366e-0c4f-3024-a034-1e0c79146d4c"
MEMBER_ID = "00000000-0000-0000-0000-000000000000"

CURL = """\
curl --request POST https://www.wixapis.com/benefit-programs/v1/programs/provision \\
-H "Authorization: " \\
-H "Content-Type: application/json" \\
--data '{
  "pool_definition_reference": {
    "program_definition_id": "e8c3366e-0c4f-3024-a034-1e0c79146d4c"
  },
  "beneficiary": {
    "identity_type": "MEMBER",
    "member_id": "00000000-0000-0000-0000-000000000000"
  },
  "namespace": "benefit_programs_app",
  "display_name": "New Program",
  "external_program_id": "myProgram17"
}'
"""

JAVASCRIPT = """\
import { programs } from "@wix/benefit-programs";

const poolDefinitionLookupId = {
  programDefinitionId: "e8c3366e-0c4f-3024-a034-1e0c79146d4c",
};

const beneficiary = {
  identityType: "MEMBER" as const,
  memberId: "00000000-0000-0000-0000-000000000000",
};

async function provisionProgram() {
  const response = await programs.provisionProgram(poolDefinitionLookupId, {
    beneficiary,
    namespace: "benefit_programs_app",
    displayName: "New Program",
    externalProgramId: "myProgram17",
  });
}
"""

SELF_HOSTED = """\
import { createClient } from '@wix/sdk';
import { programs } from '@wix/benefit-programs';
// Import the auth strategy for the relevant access type
// Import the relevant host module if needed

const myWixClient = createClient ({
  modules: { programs },
  // Include the auth strategy and host as relevant
});

async function provisionProgram(poolDefinitionLookupId,options) {
  const response = await myWixClient.programs.provisionProgram(poolDefinitionLookupId,options);
};
"""

RUN_EXAMPLE = """\
import { connect } from "./client.mjs";
import { provisionProgram } from "./example.js";
const client = connect();
client.enableContext("global");
await provisionProgram();
"""

RUN_SELF_HOSTED = """
const [programDefinitionId, memberId] = process.argv.slice(2);
await provisionProgram(
  { programDefinitionId },
  { beneficiary: { memberId }, namespace: "own", externalProgramId: "myProgram17" },
);
"""


class Gym:
    """A new tenant of the server with a program definition, and what was provisioned from it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.key = server.make_key()
        self.definition_id: str = run_apart(self._define())

    async def _define(self) -> str:
        async with self.server.connect(self.key) as caller:
            definition = await caller.create_program_definition(namespace="benefit_programs_app")
            await caller.create_pool_definition(programDefinitionIds=[definition["id"]])
            created_id: str = definition["id"]
            return created_id

    def program(self, namespace: str = "benefit_programs_app") -> dict[str, Any]:
        """The program that the examples name, as the service has it."""

        async def read() -> dict[str, Any]:
            async with self.server.connect(self.key) as caller:
                asked = {"namespace": namespace, "externalId": "myProgram17"}
                answer = await caller.call("getProgramByExternalIdAndNamespace", asked)
                program: dict[str, Any] = answer["program"]
                assert len(await caller.pools_of(program["id"])) == 1
                return program

        return run_apart(read())


@pytest.fixture
def gym(server: Server) -> Gym:
    return Gym(server)


@pytest.fixture(scope="module")
def modules() -> Path:
    return ensure_js_packages()


def require_example(program: dict[str, Any], gym: Gym) -> None:
    """Fail unless the program is what the examples ask for."""
    assert program["displayName"] == "New Program"
    assert program["programDefinitionId"] == gym.definition_id
    assert program["beneficiary"] == {"memberId": MEMBER_ID, "identityType": "MEMBER"}
    assert program["status"] == "ACTIVE"
    assert program["revision"] == "1"


def require_done(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def post_over_socket(url: str, key: str, body: str) -> str:
    """Send what curl would, where there is no curl."""
    address = urlsplit(url)
    assert address.hostname is not None
    head = (
        f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nUser-Agent: curl/8.0.0\r\n"
        f"Accept: */*\r\nAuthorization: {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port or 80)) as connection:
        connection.sendall((head + body).encode())
        with connection.makefile("rb") as answer:
            return answer.read().decode().partition("\r\n\r\n")[2]


def test_the_curl_example(gym: Gym) -> None:
    """The published cURL call provisions the program, and is answered with it and its job."""
    command = CURL.replace(HOST, gym.server.url).replace(DEFINITION_ID, gym.definition_id)
    if shutil.which("curl") is None:
        body = command.partition("--data '")[2].rpartition("'")[0]
        path = "/benefit-programs/v1/programs/provision"
        answer = post_over_socket(gym.server.url + path, gym.key, body)
    else:
        command = command.replace("Authorization: ", f"Authorization: {gym.key}")
        answer = require_done(
            subprocess.run(
                ["/bin/sh", "-c", command],
                env=os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        )
    told = json.loads(answer)
    require_example(told["program"], gym)
    assert told["program"] == gym.program()
    assert told["jobId"]


def test_the_same_bytes_without_curl(gym: Gym) -> None:
    """The body of the published call over a bare socket does the same."""
    body = CURL.replace(DEFINITION_ID, gym.definition_id)
    body = body.partition("--data '")[2].rpartition("'")[0]
    path = "/benefit-programs/v1/programs/provision"
    told = json.loads(post_over_socket(gym.server.url + path, gym.key, body))
    require_example(told["program"], gym)


def compile_example(folder: Path, modules: Path, text: str) -> None:
    """Compile ``example.ts`` with its types, strictly, into ``example.js``."""
    (folder / "node_modules").symlink_to(modules, target_is_directory=True)
    shutil.copyfile(PACKAGES / "client.mjs", folder / "client.mjs")
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    (folder / "example.ts").write_text(text, "utf-8")
    configuration = {
        "compilerOptions": {**COMPILER_OPTIONS, "rootDir": "."},
        "files": ["example.ts"],
    }
    (folder / "tsconfig.json").write_text(json.dumps(configuration), "utf-8")
    compiler = modules / "typescript" / "bin" / "tsc"
    require_done(run_node(folder, str(compiler), "--project", "tsconfig.json"))


def run_node(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [node_executable(), *arguments],
        cwd=folder,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_javascript_example(gym: Gym, modules: Path, tmp_path: Path) -> None:
    """The published example passes the compiler with the SDK's types, and does what it says."""
    text = JAVASCRIPT.replace(DEFINITION_ID, gym.definition_id)
    compile_example(tmp_path, modules, text + "\nexport { provisionProgram };\n")
    (tmp_path / "run.mjs").write_text(RUN_EXAMPLE, "utf-8")
    variables = {"BENEFITS_URL": gym.server.url, "BENEFITS_API_KEY": gym.key}
    require_done(run_node(tmp_path, "run.mjs", **variables))
    require_example(gym.program(), gym)


def test_the_compiler_finds_mistakes(modules: Path, tmp_path: Path) -> None:
    """The check of types is a real one: an example without its namespace doesn't pass."""
    text = JAVASCRIPT.replace('    namespace: "benefit_programs_app",\n', "")
    with pytest.raises(AssertionError, match="namespace"):
        compile_example(tmp_path, modules, text)


def test_the_self_hosted_example(gym: Gym, modules: Path, tmp_path: Path) -> None:
    """The published client works with an auth strategy and the service's origin included."""
    comment = "  // Include the auth strategy and host as relevant\n"
    assert comment in SELF_HOSTED
    relevant = "  auth: authorizeWith(process.env.BENEFITS_API_KEY), fetch: fetchFromService,\n"
    text = SELF_HOSTED.replace(comment, comment + relevant)
    imports = 'import { authorizeWith, fetchFromService } from "./client.mjs";\n'
    (tmp_path / "node_modules").symlink_to(modules, target_is_directory=True)
    shutil.copyfile(PACKAGES / "client.mjs", tmp_path / "client.mjs")
    (tmp_path / "run.mjs").write_text(imports + text + RUN_SELF_HOSTED, "utf-8")
    variables = {"BENEFITS_URL": gym.server.url, "BENEFITS_API_KEY": gym.key}
    require_done(run_node(tmp_path, "run.mjs", gym.definition_id, MEMBER_ID, **variables))
    assert gym.program("own")["beneficiary"]["memberId"] == MEMBER_ID

"""The official JavaScript SDK with the keys of a member, an app and a reader of one site."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING
from uuid import uuid4

from benefit_programs.api.method import Scope
from benefit_programs.bootstrap import administrator_grants, open_directory
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.storage.directory import Grants
from tests.support.databases import run_apart
from tests.support.node import PACKAGES, ensure_js_packages, node_executable

if TYPE_CHECKING:
    from tests.support.service import Server

SCRIPT_SECONDS_MAX = 60


def grants_of(kind: IdentityType, identity: str, *scopes: Scope) -> Grants:
    return Grants(identity=Identity(kind, identity), scopes=tuple(map(str, scopes)))


async def make_keys(server: Server, grants: dict[str, Grants]) -> dict[str, str]:
    """Keys of one new tenant, by the names that they were asked for."""
    async with open_directory(server._settings) as directory:
        tenant = await directory.create_tenant("test")
        return {
            name: (await directory.create_key(name, tenant_ids=[tenant.id], grants=granted)).secret
            for name, granted in grants.items()
        }


def test_callers_get_what_they_may_see(server: Server) -> None:
    """A member sees its own alone, an app says whom it asks for, and a reader changes nothing."""
    ensure_js_packages()
    member_id = str(uuid4())
    reader = (Scope.READ_LIMITED, Scope.READ)
    keys = run_apart(
        make_keys(
            server,
            {
                "BENEFITS_API_KEY": administrator_grants(),
                "BENEFITS_API_KEY_OF_MEMBER": grants_of(
                    IdentityType.MEMBER, member_id, Scope.READ_LIMITED
                ),
                "BENEFITS_API_KEY_OF_APP": grants_of(IdentityType.APP, str(uuid4()), Scope.MANAGE),
                "BENEFITS_API_KEY_OF_READER": grants_of(
                    IdentityType.WIX_USER, str(uuid4()), *reader
                ),
            },
        )
    )
    done = subprocess.run(
        [node_executable(), "callers.mjs"],
        cwd=PACKAGES,
        env=os.environ | keys | {"BENEFITS_URL": server.url, "BENEFITS_MEMBER": member_id},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SCRIPT_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail 0" in done.stdout, done.stdout

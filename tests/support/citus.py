"""Databases on a Citus cluster, which the environment names.

A test database is made on each node of the cluster, under the same name and by the same user. The
cluster is one that nobody needs: its nodes must let that user create databases and extensions.
"""

from __future__ import annotations

import os
import secrets
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from benefit_programs.storage.schema import distribute, migrate
from tests.support.databases import ask, run_apart

CITUS_URL_VARIABLE = "BENEFITS_TEST_CITUS_URL"
"""Names a database on the coordinator, in which the workers are known."""

CITUS = ["citus"] if os.environ.get(CITUS_URL_VARIABLE) else []
"""The engine, if there is a cluster."""

_NODES = """
select nodename, nodeport from pg_dist_node
where noderole = 'primary' order by groupid <> 0, nodeid
"""


class _Node(NamedTuple):
    host: str
    port: int


class CitusDatabases:
    """Databases that are distributed over the nodes of a cluster."""

    def __init__(self) -> None:
        self._url = os.environ[CITUS_URL_VARIABLE]
        self.nodes = [_Node(*row) for row in run_apart(ask(self._url, _NODES))]
        self._prefix = f"benefits_test_{secrets.token_hex(4)}"
        self._number = 0

    def create(self) -> str:
        """Make a database with the newest schema, distributed, and return its URL."""
        url = self.create_empty()
        run_apart(migrate(url))
        run_apart(distribute(url))
        return url

    def create_empty(self) -> str:
        """Make a database that knows the nodes and has nothing in it."""
        self._number += 1
        name = f"{self._prefix}_{self._number}"
        for node in self.nodes:
            run_apart(ask(self.at(node), f'create database "{name}"'))
            run_apart(ask(self.at(node, name), "create extension citus"))
        url = self.at(None, name)
        first, *others = self.nodes
        run_apart(ask(url, "select citus_set_coordinator_host($1, $2)", *first))
        for node in others:
            run_apart(ask(url, "select citus_add_node($1, $2)", *node))
        return url

    def drop(self, url: str) -> None:
        """Remove a database from all nodes."""
        name = urlsplit(url).path.removeprefix("/")
        for node in self.nodes:
            run_apart(ask(self.at(node), f'drop database if exists "{name}" with (force)'))

    def at(self, node: _Node | None, name: str | None = None) -> str:
        """The URL of a database on a node, or on the coordinator as it was named."""
        parts = urlsplit(self._url)
        if node is not None:
            who = parts.netloc.rpartition("@")[0]
            parts = parts._replace(netloc=f"{who}@{node.host}:{node.port}")
        return urlunsplit(parts if name is None else parts._replace(path=f"/{name}"))

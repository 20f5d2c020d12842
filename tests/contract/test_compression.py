"""Compressed answers, for clients that ask for them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from benefit_programs.api.compression import (
    COMPRESSED_BYTES_MIN,
    COMPRESSED_IN_LOOP_BYTES_MAX,
    accepts_gzip,
)

if TYPE_CHECKING:
    import httpx

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]


async def raw_answer(service: Service, accept_encoding: str) -> tuple[httpx.Response, bytes]:
    """All program definitions, and the bytes as they went over the wire."""
    headers = {"authorization": service.key or "", "accept-encoding": accept_encoding}
    path = "/benefit-programs/v1/program-definitions/query"
    async with service.client.stream("POST", path, headers=headers, json={}) as response:
        return response, b"".join([part async for part in response.aiter_raw()])


async def make_definitions(service: Service, count: int, text: str) -> None:
    for _ in range(count):
        await service.create_program_definition(extendedFields={"namespaces": {"@a/b": text}})


@pytest.mark.parametrize("size", [COMPRESSED_BYTES_MIN, COMPRESSED_IN_LOOP_BYTES_MAX])
async def test_a_large_answer_is_compressed_when_asked(service: Service, size: int) -> None:
    """With accept-encoding: gzip the same answer comes in fewer bytes, and says so."""
    count = 1 + size // 5_000
    await make_definitions(service, count, "text " * 1_000)
    plain, body = await raw_answer(service, "identity")
    packed, compressed = await raw_answer(service, "br, gzip;q=0.5")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(compressed) == body
    assert len(compressed) * 5 < len(body)
    for response, received in ((plain, body), (packed, compressed)):
        assert response.headers["vary"] == "accept-encoding"
        assert int(response.headers["content-length"]) == len(received)
        assert response.headers["content-type"] == "application/json"


async def test_a_small_answer_is_never_compressed(service: Service) -> None:
    """Below the least size an answer comes as it is, and isn't marked."""
    response, body = await raw_answer(service, "gzip")
    assert len(body) < COMPRESSED_BYTES_MIN
    assert body.startswith(b'{"programDefinitions":[]')
    assert "content-encoding" not in response.headers
    assert "vary" not in response.headers


async def test_a_large_refusal_is_compressed_too(service: Service) -> None:
    """Errors are answers like all others."""
    new = {"namespace": "gym", "details": {"benefits": [{"price": "x"}] * 10}}
    request = {"poolDefinition": new, "cascade": "FUTURE_PROVISIONS"}
    refused = await service.refusal("createPoolDefinition", request)
    assert len(refused.response.content) >= COMPRESSED_BYTES_MIN
    assert refused.response.headers["content-encoding"] == "gzip"


async def test_the_reference_is_compressed_too(service: Service) -> None:
    """What stands around the methods obeys the same header."""
    for accepted, encoding in (("gzip", "gzip"), ("identity", None)):
        response = await service.client.get("/openapi.json", headers={"accept-encoding": accepted})
        assert response.headers.get("content-encoding") == encoding
        assert "accept-encoding" in response.headers["vary"].lower()


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *", False),
        ("*", True),
        ("*;q=0", False),
        ("identity", False),
        ("deflate", False),
        ("gzip;q=x", False),
        ("notgzip", False),
    ],
)
async def test_the_header_is_read_as_it_is_meant(*, header: str | None, accepted: bool) -> None:
    """Weights count, and a coding that isn't named follows the asterisk."""
    assert accepts_gzip(header) is accepted

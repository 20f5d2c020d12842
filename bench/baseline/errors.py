"""Refusals, and how they look on the wire."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError


class ApplicationError(Exception):
    """A refusal with the contract's code and the facts that go with it."""

    def __init__(self, status: HTTPStatus, code: str, **data: Any) -> None:
        """Keep what the answer says; `data` carries the names of the wire."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.data = data


class InvalidRequestError(Exception):
    """A request that is well formed, but breaks a rule about one of its fields."""

    def __init__(self, field: str, description: str) -> None:
        """Keep the path of the field and what is wrong with it."""
        super().__init__(description)
        self.field = field
        self.description = description


def violated_constraint(error: IntegrityError) -> str | None:
    """Name the constraint that the database found violated."""
    cause = error.orig.__cause__ if error.orig else None
    return getattr(cause, "constraint_name", None)


def add_error_handlers(app: FastAPI) -> None:
    """Answer refusals in the contract's shape."""
    app.add_exception_handler(ApplicationError, _answer_application_error)
    app.add_exception_handler(InvalidRequestError, _answer_invalid_request)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)


async def _answer_application_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApplicationError)
    refusal = {"code": error.code, "description": error.code, "data": error.data}
    return JSONResponse(
        {"message": error.code, "details": {"applicationError": refusal}}, error.status
    )


async def _answer_invalid_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InvalidRequestError)
    return _violations([{"field": error.field, "description": error.description}])


async def _answer_validation_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _violations(
        [
            {"field": _path(found["loc"][1:]), "description": found["msg"]}
            for found in error.errors()
        ]
    )


def _violations(violations: list[dict[str, str]]) -> JSONResponse:
    found = [{**violation, "violatedRule": "VALIDATION"} for violation in violations]
    body = {
        "message": "invalid request",
        "details": {"validationError": {"fieldViolations": found}},
    }
    return JSONResponse(body, HTTPStatus.BAD_REQUEST)


def _path(location: tuple[str | int, ...]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).removeprefix(".")

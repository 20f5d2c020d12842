"""``benefits apply`` and ``benefits export``: from a file to a tenant, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from benefit_programs.cli.apply.file import BenefitsFile, read_file
from benefit_programs.cli.apply.plan import Plan, counted, make_plan, match_pool_definitions
from benefit_programs.cli.apply.steps import ITEMS, Service, Step
from benefit_programs.cli.apply.tenant import (
    Tenant,
    file_document,
    read_items,
    read_tenant,
    read_webhooks,
)
from benefit_programs.cli.apply.yaml_text import FileUnusable, Text, read_text, write_text
from benefit_programs.cli.exits import ExitCode, WrongUsage
from benefit_programs.cli.output import Answer, print_json
from benefit_programs.cli.remote import calls_service, require_consent
from benefit_programs.client import BenefitPrograms, BenefitProgramsError
from benefit_programs.domain.settings import IdMode

commands = typer.Typer()

SIGNS = {"create": "+", "change": "~", "remove": "-"}
PAST = {"create": "created", "change": "changed", "remove": "removed"}
FILE_BYTES_MAX = 10_485_760
"""How large a file may be."""


@calls_service(commands, "apply")
def apply_file(
    client: BenefitPrograms,
    file: Annotated[Path, typer.Argument(help="The file; `-` reads standard input.")],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Also remove everything that isn't in the file."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> Answer:
    """Create and change definitions, items and webhooks so that a namespace looks like a file.

    Shows its plan, and asks. Things that the file doesn't name stay, unless --prune removes them,
    whoever made them. A second run finds nothing to do.
    """
    try:
        text = read_text(_source(file))
        wanted = read_file(text, IdMode(client.settings.get().id_mode))
        plan, service = _plan(client, wanted, text, prune=prune)
    except FileUnusable as unusable:
        for problem in unusable.problems:
            sys.stderr.write(f"{file}:{problem}\n")
        raise typer.Exit(ExitCode.WRONG_USAGE) from None
    # The plan is for people who decide; with --json the answer at the end has it all.
    sys.stderr.write("".join(f"{line}\n" for line in _lines(plan, wanted)))
    if plan.steps and not dry_run:
        require_consent(_question(plan), yes=yes)
        _carry_out(plan, service)
    return _answer(plan, service.secrets, is_applied=not dry_run)


@calls_service(commands, "export")
def export_file(
    client: BenefitPrograms,
    namespace: Annotated[str, typer.Argument(help="The namespace to write.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write. Default: standard output."),
    ] = None,
) -> Answer:
    """Write the definitions, items and webhooks of a namespace as a file for `benefits apply`."""
    document = file_document(client, namespace)
    written = write_text(document)
    if output is None:
        return Answer(document, line=written.rstrip("\n"))
    try:
        output.write_text(written, "utf-8")
    except OSError as error:
        raise WrongUsage(f"{output} can't be written: {error.strerror}") from None
    return Answer(document, line=f"Wrote {output}.")


@commands.command("definitions-schema")
def show_schema() -> None:
    """Print the JSON Schema of the file, for editors."""
    # Only here: to make a schema loads the whole reference.
    from benefit_programs.cli.apply.schema import file_schema  # noqa: PLC0415

    print_json(file_schema())


def _source(file: Path) -> str:
    try:
        content = sys.stdin.buffer.read(FILE_BYTES_MAX + 1) if str(file) == "-" else _read(file)
        if len(content) > FILE_BYTES_MAX:
            raise WrongUsage(f"{file} is larger than {FILE_BYTES_MAX} bytes")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise WrongUsage(f"{file} can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise WrongUsage(f"{file} is no UTF-8: {error.reason}") from None


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(FILE_BYTES_MAX + 1)


def _plan(
    client: BenefitPrograms, wanted: BenefitsFile, text: Text, *, prune: bool
) -> tuple[Plan, Service]:
    tenant = read_tenant(client, wanted.namespace)
    pairs = match_pool_definitions(wanted, tenant, text)
    sets = [
        found.details.item_set_id(benefit.benefit_key)
        for entry, found in pairs
        if found is not None
        for benefit in entry.benefits
        if benefit.items is not None and _has_benefit(found, benefit.benefit_key)
    ]
    read_items(client, tenant, sets)
    if wanted.webhooks is not None:
        read_webhooks(client, tenant)
    service = Service(client, wanted.namespace, _ids(tenant))
    service.pool_definitions.update({entry.name: found for entry, found in pairs if found})
    return make_plan(wanted, tenant, pairs, prune=prune), service


def _has_benefit(found: Any, benefit_key: str) -> bool:
    return any(each.benefit_key == benefit_key for each in found.details.benefits)


def _ids(tenant: Tenant) -> dict[str, str]:
    return {key: each.id for key, each in tenant.program_definitions.items()}


def _carry_out(plan: Plan, service: Service) -> None:
    for number, step in enumerate(plan.steps):
        try:
            step.run(service)
        except BenefitProgramsError:
            done = f"{number} of {counted(len(plan.steps), 'step')} done"
            sys.stderr.write(f"{done}; stopped at: {_heading(step)}. It is safe to apply again.\n")
            sys.stderr.write("".join(_secret_lines(service.secrets)))
            raise


def _lines(plan: Plan, wanted: BenefitsFile) -> Iterator[str]:
    if plan.steps:
        yield f"Namespace {wanted.namespace}:"
    for step in plan.steps:
        yield f"  {_heading(step)}"
        for path, old, new in step.changes:
            yield f"      {_change(step.verb, path, old, new)}"
    for each in plan.left:
        yield f"  Not in the file, stays: {each}"
    if plan.left:
        yield "  (--prune removes what is not in the file)"


def _question(plan: Plan) -> str:
    """What is asked before anything is done: it counts what will be gone."""
    counts: dict[str, int] = {}
    for step in plan.steps:
        if step.verb == "remove":
            noun, number = ("item", len(step.changes)) if step.kind == ITEMS else (step.kind, 1)
            counts[noun] = counts.get(noun, 0) + number
    if not counts:
        return "Go on?"
    gone = ", ".join(counted(number, noun) for noun, number in counts.items())
    return f"Remove {gone}, whoever made them, and go on?"


def _heading(step: Step) -> str:
    facts = [f"cascade {step.cascade}"] if step.cascade else []
    facts += [step.note] if step.note else []
    besides = f" ({', '.join(facts)})" if facts else ""
    return f"{SIGNS[step.verb]} {step.kind} {step.name}{besides}"


def _change(verb: str, path: str, old: Any, new: Any) -> str:
    if verb == "change":
        return f"{path}: {_value(old)} -> {_value(new)}"
    value = new if verb == "create" else old
    return f"{path}: {_value(value)}" if value else path


def _value(value: Any) -> str:
    return "nothing" if value is None else msgspec.json.encode(value).decode()


def _answer(plan: Plan, secrets: dict[str, str], *, is_applied: bool) -> Answer:
    document: dict[str, Any] = {
        "applied": is_applied,
        "steps": [_document(each) for each in plan.steps],
        "left": plan.left,
    }
    if secrets:
        document["webhookSecrets"] = secrets
    line = _summary(plan, is_applied=is_applied)
    return Answer(document, line="".join(_secret_lines(secrets)) + line)


def _secret_lines(secrets: dict[str, str]) -> Iterator[str]:
    """What no later command can show."""
    for url, secret in secrets.items():
        yield f"Secret of {url}: {secret}\n"
    if secrets:
        yield "Keep them: they are not shown again.\n"


def _document(step: Step) -> dict[str, Any]:
    return {
        "verb": step.verb,
        "kind": step.kind.removesuffix(" of"),
        "name": step.name,
        "cascade": step.cascade,
        "changes": [{"field": path, "old": old, "new": new} for path, old, new in step.changes],
    }


def _summary(plan: Plan, *, is_applied: bool) -> str:
    if not plan.steps:
        return "Nothing to do."
    verbs = [step.verb for step in plan.steps]
    counts = ", ".join(f"{verbs.count(verb)} {PAST[verb]}" for verb in SIGNS if verb in verbs)
    return f"Done: {counts}." if is_applied else f"Would be: {counts}."

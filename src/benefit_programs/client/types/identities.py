"""Identities: beneficiaries and instructing parties."""

from __future__ import annotations

from typing import Any, ClassVar


class Identity:
    """An identity, by one id. Make a Member, a WixUser, an AnonymousVisitor or an App.

    Identities of one kind with one id are equal, can be keys of a dict, and can be matched:
    ``case Member(member_id): ...``.
    """

    __slots__ = ("id",)
    __match_args__ = ("id",)

    field: ClassVar[str] = ""
    """The name of the id on the wire; an identity of a newer server has none."""

    id: str

    def __init__(self, id: str) -> None:  # noqa: A002 - the contract's own word
        self.id = id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and (type(other), other.id) == (type(self), self.id)

    def __hash__(self) -> int:
        return hash((type(self), self.id))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"


class Member(Identity):
    """A site member."""

    __slots__ = ()
    field = "memberId"


class WixUser(Identity):
    """A user of the platform, such as an administrator."""

    __slots__ = ()
    field = "wixUserId"


class AnonymousVisitor(Identity):
    """A visitor of the site who isn't logged in."""

    __slots__ = ()
    field = "anonymousVisitorId"


class App(Identity):
    """An app. It comes in answers; a beneficiary is never one."""

    __slots__ = ()
    field = "appId"


KINDS: dict[str, type[Identity]] = {
    kind.field: kind for kind in (Member, WixUser, AnonymousVisitor, App)
}


def identity_from_wire(document: dict[str, Any]) -> Identity:
    """The identity that an answer names; one of a kind that isn't known is a plain Identity."""
    for field, kind in KINDS.items():
        if isinstance(document.get(field), str):
            return kind(document[field])
    others = (value for name, value in document.items() if name != "identityType")
    return Identity(str(next(others, "")))


def identity_to_wire(identity: Identity) -> dict[str, str]:
    """The identity as requests name it. Raises ValueError for a kind that can't be sent."""
    if not identity.field:
        raise ValueError(f"{identity!r} can't be sent: use Member, WixUser or AnonymousVisitor")
    return {identity.field: identity.id}

"""Identities as questions name them."""

from __future__ import annotations

from benefit_programs.domain.values import Identity, IdentityType

_KEYS = {
    IdentityType.ANONYMOUS_VISITOR: "anonymousVisitorId",
    IdentityType.MEMBER: "memberId",
    IdentityType.WIX_USER: "wixUserId",
    IdentityType.APP: "appId",
}


def identity_document(identity: Identity | None) -> dict[str, str] | None:
    """An identity as the API writes it; None for one that has no such form."""
    if identity is None or identity.type not in _KEYS:
        return None
    return {"identityType": identity.type.value, _KEYS[identity.type]: identity.id}

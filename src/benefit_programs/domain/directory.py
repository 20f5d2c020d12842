"""What the directory of tenants and keys is made of: roles, and how large things may be."""

from __future__ import annotations

from enum import StrEnum

NAME_LENGTH_MAX = 128
KEY_TENANTS_MAX = 100
KEY_SCOPES_MAX = 20
KEY_PERMISSIONS_MAX = 100


class Role(StrEnum):
    """What somebody does with the service; each may do what the one before may."""

    READER = "READER"
    FRONT_DESK = "FRONT_DESK"
    MANAGER = "MANAGER"
    OPERATOR = "OPERATOR"

"""Which URLs a tenant may register."""

from __future__ import annotations

import httpx

URL_LENGTH_MAX = 2_048


def url_problem(url: str) -> str | None:
    """What keeps a URL from being registered, as the end of a sentence about it; None if nothing.

    It is an absolute one of http or https, has no user information, and isn't too long. http is
    allowed as https is: receivers in a network that the operator allows often speak nothing else.
    """
    if len(url) > URL_LENGTH_MAX:
        return f"has at most {URL_LENGTH_MAX} characters"
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return "can't be read"
    if parts.scheme not in {"http", "https"} or not parts.host:
        return "is an absolute http or https one"
    return "has no user information" if parts.userinfo else None

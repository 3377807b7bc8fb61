"""Who owns what: decided once, here, from Jupyter's identity provider.

Jupyter's own providers know no people: everybody who holds the token or the password is the same person, but
each request without a cookie is given a new random anonymous user. There, one local owner stands for all.
Providers that know people (JupyterHub's, any custom one) name the owner.
"""

from __future__ import annotations

from jupyter_server.auth.identity import IdentityProvider, User

LOCAL_OWNER = "local"
"""The owner of everything where the identity provider knows no people."""

RESOURCE = "automl"
"""The resource that Jupyter's authorizer is asked about."""

ACTIONS = ("read", "write", "execute")

_NAMING_METHODS = (
    "get_user",
    "get_user_token",
    "get_user_cookie",
    "generate_anonymous_user",
    "process_login_form",
)


def knows_people(provider: IdentityProvider) -> bool:
    """Whether a provider's users stay who they are from one request to the next.

    Those that come with Jupyter do not; one that has its own way of telling users apart does.
    """
    kind = type(provider)
    if kind.__module__.partition(".")[0] == "jupyter_server":
        return False
    return any(getattr(kind, name) is not getattr(_stock(kind), name) for name in _NAMING_METHODS)


def _stock(kind: type[IdentityProvider]) -> type[IdentityProvider]:
    """The nearest class among its bases that comes with Jupyter."""
    return next(base for base in kind.__mro__ if base.__module__.partition(".")[0] == "jupyter_server")


def owner_of(provider: IdentityProvider, user: User) -> str:
    """The name under which a user's things are kept."""
    return user.username if knows_people(provider) else LOCAL_OWNER

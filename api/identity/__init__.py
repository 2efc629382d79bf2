"""Who is here: signing in, the tenant, its people and teams, and the keys of its machines."""

from api.identity.mutations import Mutations
from api.identity.queries import Queries
from api.identity.refs import TeamRef, UserRef, team_id_of, user_id_of
from api.identity.views import (
    ApiKeyView,
    BoardLinkView,
    SessionView,
    SignedInView,
    TeamMemberView,
    TeamView,
    TenantView,
    UserView,
)

__all__ = [
    "ApiKeyView",
    "BoardLinkView",
    "Mutations",
    "Queries",
    "SessionView",
    "SignedInView",
    "TeamMemberView",
    "TeamRef",
    "TeamView",
    "TenantView",
    "UserRef",
    "UserView",
    "team_id_of",
    "user_id_of",
]

"""Accounts: one sign-in for each person of the installation, and the tenants it opens.

Accounts, memberships and the directory belong to no tenant, so what concerns them and a tenant
takes two transactions.  The installation's side is always written first.  Alone it opens nothing,
because whoever signs in must be an active user of the tenant as well; and a second attempt finds
it and goes on from there.
"""

from infra.accounts.desk import Account, Accounts
from infra.accounts.founding import create_tenant, find_or_create, join
from infra.accounts.sessions import end_all_sessions, end_sessions_before

__all__ = [
    "Account",
    "Accounts",
    "create_tenant",
    "end_all_sessions",
    "end_sessions_before",
    "find_or_create",
    "join",
]

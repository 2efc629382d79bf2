"""The first run, in databases where nothing was ever set up."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import httpx
import pytest

from domain.errors import Invalid
from domain.identity import BadCredentials, NewCompany, Role
from infra.accounts import Accounts, find_or_create
from infra.database import Database
from infra.first_run import AlreadySetUp, WrongSetUpToken
from infra.passwords import Passwords, WeakPassword
from infra.secrets import FIRST_RUN, new_secret
from infra.signing_keys import SigningKeys
from infra.tokens import AccessTokens
from tests.admission import admission_of
from tests.api.sites import a_process
from tests.passwords import PASSWORD, QUICK
from tests.world import NOON

LINKS = {
    "nothing": "",
    "too short": "smf_x",
    "too long": "x" * 10_000,
    "never made": new_secret(FIRST_RUN).text,
}


def a_company(**more):
    return NewCompany(
        **{
            "slug": "acme",
            "name": "Acme",
            "time_zone": "Europe/Dublin",
            "currency": "EUR",
            "owner_email": "olive@acme.example",
            "owner_name": "Olive",
            "password": PASSWORD,
            **more,
        }
    )


@pytest.fixture
async def installation(fresh_database, clock):
    """The accounts of an installation without a tenant."""
    database = await Database.connect(
        fresh_database.app,
        fresh_database.platform,
        size=4,
        clock=lambda: clock["now"],
        wait_seconds=60,
    )
    passwords = Passwords(QUICK)
    tokens = AccessTokens(keys=SigningKeys.generate(), issuer="us", audience="api")
    yield Accounts(database, passwords, tokens, "https://smarketing.example")
    passwords.close()
    await database.close()


@pytest.fixture
def first_run(installation):
    return admission_of(installation)["first_run"]


async def count(installation, table):
    return await installation.database.platform.fetchval(f"SELECT count(*) FROM {table}")


async def test_who_shows_the_token_owns_the_first_tenant(installation, first_run):
    token = await first_run.announce()

    signed_in = await first_run.set_up(token, a_company())

    assert (signed_in.tenant.slug, signed_in.tenant.time_zone) == ("acme", "Europe/Dublin")
    assert (signed_in.user.email, signed_in.user.role) == ("olive@acme.example", Role.OWNER)
    again = await installation.sign_in(email="olive@acme.example", password=PASSWORD)
    assert again.user == signed_in.user


async def test_the_token_works_once_and_is_never_printed_again(installation, first_run):
    token = await first_run.announce()
    await first_run.set_up(token, a_company())

    with pytest.raises(AlreadySetUp):
        await first_run.set_up(token, a_company(slug="second"))

    assert await first_run.announce() is None
    assert await count(installation, "directory") == 1


async def test_of_two_at_once_one_wins(installation, first_run):
    token = await first_run.announce()

    ends = await asyncio.gather(
        *(first_run.set_up(token, a_company(slug=f"acme-{n}")) for n in range(6)),
        return_exceptions=True,
    )

    assert sorted(type(end).__name__ for end in ends) == ["AlreadySetUp"] * 5 + ["SignedIn"]
    assert await count(installation, "directory") == 1


async def test_the_token_itself_is_not_stored(installation, first_run):
    token = await first_run.announce()

    rows = await installation.database.platform.fetch("SELECT * FROM first_runs")
    assert len(rows) == 1
    assert token not in repr([tuple(row) for row in rows])


async def test_processes_that_start_together_print_the_same(first_run):
    tokens = await asyncio.gather(*(first_run.announce() for _ in range(5)))

    assert len(set(tokens)) == 1


async def test_a_later_start_replaces_the_token(first_run, clock):
    old = await first_run.announce()
    clock["now"] = NOON + timedelta(minutes=1)
    new = await first_run.announce()

    with pytest.raises(WrongSetUpToken):
        await first_run.set_up(old, a_company())

    assert (await first_run.set_up(new, a_company())).tenant.slug == "acme"


@pytest.mark.parametrize(
    "token", ["", "smf_x", "x" * 10_000, new_secret(FIRST_RUN).text], ids=LINKS
)
async def test_a_wrong_token_sets_nothing_up(installation, first_run, token):
    await first_run.announce()

    with pytest.raises(WrongSetUpToken):
        await first_run.set_up(token, a_company())

    assert (await count(installation, "accounts"), await count(installation, "directory")) == (0, 0)


@pytest.mark.parametrize("token", ["", new_secret(FIRST_RUN).text], ids=["empty", "made up"])
async def test_without_a_token_printed_nothing_is_set_up(first_run, token):
    with pytest.raises(WrongSetUpToken):
        await first_run.set_up(token, a_company())


@pytest.mark.parametrize(
    ("change", "refusal", "path"),
    [
        ({"slug": "A!"}, Invalid, ("tenant", "slug")),
        ({"name": " "}, Invalid, ("tenant", "name")),
        ({"currency": "ZZZ"}, Invalid, ("tenant", "currency")),
        ({"time_zone": "Mars/Base"}, Invalid, ("tenant", "timeZone")),
        ({"owner_name": "n\x00"}, Invalid, ("owner", "name")),
        ({"password": "password1234"}, WeakPassword, ("owner", "password")),
    ],
)
async def test_what_is_refused_leaves_nothing_and_spends_no_token(
    installation, first_run, change, refusal, path
):
    token = await first_run.announce()

    with pytest.raises(refusal) as refused:
        await first_run.set_up(token, a_company(**change))

    assert refused.value.path == path
    assert (await count(installation, "accounts"), await count(installation, "directory")) == (0, 0)
    assert (await first_run.set_up(token, a_company())).tenant.slug == "acme"


async def test_a_set_up_that_broke_off_goes_on_with_the_same_password(installation, first_run):
    """The account is there, the tenant is not."""
    token = await first_run.announce()
    await find_or_create(
        installation.database, installation.passwords, "olive@acme.example", PASSWORD
    )

    with pytest.raises(BadCredentials):
        await first_run.set_up(token, a_company(password="narcissi 4 nobody"))

    assert (await first_run.set_up(token, a_company())).user.email == "olive@acme.example"


# Over the whole service

SET_UP = """mutation($input: InstallationSetUpInput!) { installationSetUp(input: $input) {
  session { accessToken user { email role } tenant { slug } } userErrors { code }
} }"""


def printed(started):
    """Return the tokens in what a process has printed."""
    return re.findall(r"^    (smf_\w+)$", started.log.read_text(), re.MULTILINE)


def set_up(started, token):
    wanted = {
        "token": token,
        "tenant": {"slug": "acme", "name": "Acme", "timeZone": "UTC", "currency": "EUR"},
        "owner": {"email": "olive@acme.example", "name": "Olive", "password": PASSWORD},
    }
    asked = {"query": SET_UP, "variables": {"input": wanted}}
    answer = httpx.post(f"{started.url}/graphql", json=asked, timeout=60).json()
    return answer["data"]["installationSetUp"]


def test_a_start_without_a_tenant_prints_one_token_and_one_with_a_tenant_none(
    fresh_database, tmp_path
):
    with a_process(fresh_database, tmp_path, PROCESSES="2") as started:
        (token,) = printed(started)
        answer = set_up(started, token)
        again = set_up(started, token)
    with a_process(fresh_database, tmp_path) as restarted:
        later = printed(restarted)

    assert answer["session"].pop("accessToken")
    assert answer == {
        "session": {
            "user": {"email": "olive@acme.example", "role": "OWNER"},
            "tenant": {"slug": "acme"},
        },
        "userErrors": [],
    }
    assert again == {"session": None, "userErrors": [{"code": "ALREADY_SET_UP"}]}
    assert later == []

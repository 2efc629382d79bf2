"""The pages that mails lead to, from the mailbox to the end, in a real browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from domain.identity import BadCredentials, Invitation, Role, User
from infra.accounts import find_or_create
from infra.mail.mailbox import FolderDelivery
from infra.mail.sending import mail_loop, mailbox_of
from infra.services import Services
from tests.api.browser.conftest import PHONE, OpenScreen
from tests.api.sites import Site, a_site
from tests.fixtures import clock, database, session_database, world
from tests.passwords import ANOTHER, PASSWORD
from tests.world import World, enter_directory

__all__ = ["clock", "database", "session_database", "world"]


@pytest.fixture
async def site(
    database_urls: Any, world: World, session_database: Any, tmp_path: Path
) -> AsyncIterator[Site]:
    """The service with a mailbox of its own, for a company in the directory."""
    platform = session_database.platform
    await platform.execute("DELETE FROM mails")
    await enter_directory(world)
    async with a_site(database_urls, WORKER="0", MAIL_URL=(tmp_path / "mail").as_uri()) as site:
        yield site


def services_of(site: Site) -> Services:
    services: Services = site.app.state.process.services
    return services


def mailbox(site: Site) -> FolderDelivery:
    found = mailbox_of(site.settings)
    assert found is not None
    return found


async def send_what_waits(site: Site) -> None:
    """Do what the worker does."""
    loop = mail_loop(services_of(site))
    while await loop.run_due():
        pass


async def invite(site: Site, world: World, **more: Any) -> Invitation:
    wanted = {"email": f"ivy@{world.tenant.slug}.example", "name": "Ivy", "role": Role.MEMBER}
    services = services_of(site)
    async with services.database.work(world.tenant.id) as work:
        invitation = await services.invitations.invite(work, world.actor(), **{**wanted, **more})
    await send_what_waits(site)
    return invitation


async def test_an_invitation_leads_from_the_mailbox_into_the_company(
    site: Site, world: World, open_screen: OpenScreen
) -> None:
    await invite(site, world)
    screen = await open_screen(f"{site.url}/dev/mail")
    await screen.page.click("text=Join Acme on Smarketing")
    await screen.page.click(f"text={site.url}/invitation")

    await screen.shows("#lede", "Olive invites you to join Acme.")
    assert await screen.page.input_value("#name") == "Ivy"
    await screen.page.fill("#password", "password1234")
    await screen.page.click("button")
    await screen.shows("#outcome", "among the first that anybody would try")
    assert await screen.page.get_attribute("#password", "aria-invalid") == "true"
    await screen.page.fill("#password", PASSWORD)
    await screen.page.click("button")

    await screen.shows("#title", "Welcome, Ivy")
    assert await screen.page.is_hidden("#accept")
    assert screen.page.url == f"{site.url}/invitation"
    async with world.work() as work:
        assert [user.name for user in await work.find(User, name="Ivy")] == ["Ivy"]
    assert (screen.hosts, screen.complaints) == ({urlsplit(site.url).netloc}, [])


async def test_a_link_that_is_not_good_says_so(
    site: Site, world: World, open_screen: OpenScreen
) -> None:
    screen = await open_screen(f"{site.url}/invitation#token=smi_nonsense")

    await screen.shows("#title", "This invitation cannot be accepted")
    await screen.shows("#lede", "Open it from the latest mail.")
    assert await screen.page.is_hidden("#accept")


async def test_who_has_an_account_is_asked_for_its_password(
    site: Site, world: World, open_screen: OpenScreen
) -> None:
    services, email = services_of(site), f"ivy@{world.tenant.slug}.example"
    await find_or_create(services.database, services.passwords, email, PASSWORD)
    await invite(site, world)
    screen = await open_screen(f"{site.url}/dev/mail")
    await screen.page.click("text=Join Acme on Smarketing")
    await screen.page.click(f"text={site.url}/invitation")

    await screen.shows("#accept", "You have an account here already")
    await screen.page.fill("#password", "short")
    await screen.page.click("button")

    await screen.shows("#outcome", "The e-mail address or the password is not right.")


async def test_a_lost_password_is_chosen_anew(
    site: Site, world: World, open_screen: OpenScreen
) -> None:
    accounts = services_of(site).accounts
    email = f"bo@{world.tenant.slug}.example"
    await accounts.add_user(
        world.actor(), email=email, name="Bo", role=Role.MEMBER, password=PASSWORD
    )
    screen = await open_screen(f"{site.url}/password-reset")
    await screen.page.fill("#email", email)
    await screen.page.click("#request button")
    await screen.shows("#outcome", "If there is an account with this address")
    await send_what_waits(site)

    await screen.page.goto(f"{site.url}/dev/mail")
    await screen.page.click("text=Choose a new password")
    await screen.page.click(f"text={site.url}/password-reset")
    await screen.page.fill("#new-password", ANOTHER)
    await screen.page.click("#reset button")
    await screen.shows("#outcome", "Your password is changed.")

    assert screen.page.url == f"{site.url}/password-reset"
    assert (await accounts.sign_in(email=email, password=ANOTHER)).user.name == "Bo"
    with pytest.raises(BadCredentials):
        await accounts.sign_in(email=email, password=PASSWORD)
    assert (screen.hosts, screen.complaints) == ({urlsplit(site.url).netloc}, [])


async def test_a_message_is_shown_as_text_and_its_html_is_never_run(
    site: Site, world: World, open_screen: OpenScreen
) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    message = EmailMessage()
    message["From"], message["To"] = "a@b.example", "c@d.example"
    message["Subject"], message["Date"] = hostile, "x"
    message.set_content(hostile)
    message.add_alternative(hostile, subtype="html")
    await mailbox(site).deliver(message)
    (kept,) = await mailbox(site).messages()

    screen = await open_screen(f"{site.url}/dev/mail/{kept.name}")

    assert await screen.text("h1") == hostile
    assert await screen.text(".letter") == hostile
    assert await screen.text("pre") == hostile
    assert await screen.page.locator("img, main script").count() == 0
    assert (screen.hosts, screen.complaints) == ({urlsplit(site.url).netloc}, [])


async def test_everybody_can_use_them(
    site: Site, world: World, open_screen: OpenScreen, axe: str
) -> None:
    await invite(site, world)
    (kept,) = await mailbox(site).messages()
    (link,) = re.findall(r"#token=\w+", kept.text)
    paths = (
        f"/invitation{link}",
        "/invitation",
        "/password-reset",
        "/password-reset#token=x",
        "/dev/mail",
        f"/dev/mail/{kept.name}",
        "/dev/mail/none",
    )
    for options in ({"color_scheme": "dark"}, {"color_scheme": "light", "viewport": PHONE}):
        for path in paths:
            screen = await open_screen(f"{site.url}{path}", bypass_csp=True, **options)
            assert (path, await screen.violations(axe)) == (path, [])

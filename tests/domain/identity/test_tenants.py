"""What a tenant is called, where and in what it reckons."""

import pytest

from domain.errors import Invalid
from domain.events import TenantChanged
from domain.identity import Tenant, UnknownCurrency, UnknownTimeZone, new_tenant, update_tenant
from tests.domain.identity.building_people import ADMIN, NOON, TENANT, YESTERDAY
from tests.fakes import FakeWork


def a_tenant(**more):
    return Tenant(
        **{
            "id": TENANT,
            "slug": "acme",
            "name": "Acme",
            "time_zone": "Europe/Dublin",
            "currency": "EUR",
            "created_at": YESTERDAY,
            **more,
        }
    )


def test_a_new_tenant_is_called_what_it_was_told_without_space_around():
    made = new_tenant(
        id=TENANT,
        slug="acme",
        name=" Acme ",
        time_zone="Europe/Dublin",
        currency="EUR",
        at=YESTERDAY,
    )

    assert made == a_tenant()


@pytest.mark.parametrize("slug", ["ab", "a" * 40, "acme-2", "a-b-c", "42"])
def test_slugs_of_small_letters_digits_and_single_hyphens_are_good(slug):
    made = new_tenant(
        id=TENANT, slug=slug, name="Acme", time_zone="UTC", currency="EUR", at=YESTERDAY
    )

    assert made.slug == slug


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        *(
            ({"slug": slug}, ("slug",))
            for slug in (
                "",
                "a",
                "a" * 41,
                "Acme",
                "-acme",
                "acme-",
                "a--b",
                "a_b",
                "a\n",
                "a\x00b",
            )
        ),
        ({"name": "  "}, ("name",)),
        ({"name": "x" * 201}, ("name",)),
        ({"name": "a\x00b"}, ("name",)),
    ],
)
def test_a_tenant_that_cannot_be_is_refused(wrong, path):
    right = {"slug": "acme", "name": "Acme", "time_zone": "UTC", "currency": "EUR"}

    with pytest.raises(Invalid) as refusal:
        new_tenant(id=TENANT, at=NOON, **{**right, **wrong})

    assert refusal.value.path == path


@pytest.mark.parametrize("zone", ["", "Mars/Base", "europe/dublin", "../etc/passwd", "a\x00"])
def test_a_time_zone_that_does_not_exist_is_refused(zone):
    with pytest.raises(UnknownTimeZone):
        new_tenant(id=TENANT, slug="acme", name="Acme", time_zone=zone, currency="EUR", at=NOON)


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "ZZZ", "XAU", "XTS"])
def test_a_currency_that_nobody_is_paid_in_is_refused(currency):
    with pytest.raises(UnknownCurrency):
        new_tenant(id=TENANT, slug="acme", name="Acme", time_zone="UTC", currency=currency, at=NOON)


async def test_a_tenant_changes_only_what_is_named():
    work = FakeWork(NOON, a_tenant())
    work.tenant_id = TENANT

    saved = await update_tenant(work, ADMIN, time_zone="Asia/Tokyo")

    assert saved == a_tenant(time_zone="Asia/Tokyo", version=2)
    assert work.events == [TenantChanged(tenant_id=TENANT, at=NOON)]

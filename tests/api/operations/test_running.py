"""The documented operations, each one run as a front end would, over HTTP and streams."""

from __future__ import annotations

from tests.api.offices import Office
from tests.api.operations.coming_in import (
    change_password,
    invite,
    look_back,
    sign_in,
    stay_signed_in,
)
from tests.api.operations.front_end import OPERATIONS, FrontEnd
from tests.api.operations.handing_over import hand_off, hear_back, prioritise, watch
from tests.api.operations.knowing import (
    find_doubles,
    follow_visitors,
    import_leads,
    know_people,
    merge_doubles,
    read,
    work_on_leads,
)
from tests.api.operations.selling import sell, weigh_campaigns
from tests.api.sites import Site


async def test_every_documented_operation_runs(
    site: Site, office: Office, front_end: FrontEnd
) -> None:
    """One story, because each step needs the one before; the last says that none was left out."""
    await sign_in(office, front_end)
    await stay_signed_in(front_end)
    await read(office, front_end)
    await work_on_leads(front_end)
    await know_people(front_end)
    await follow_visitors(front_end)
    await find_doubles(front_end)
    await merge_doubles(front_end)
    await hand_off(office, front_end)
    await hear_back(office, front_end)
    await prioritise(office, front_end)
    await watch(office, front_end)
    await sell(office, front_end)
    await weigh_campaigns(front_end)
    await import_leads(front_end)
    await invite(site, office, front_end)
    await look_back(front_end)
    await change_password(site, office, front_end)
    assert front_end.ran == set(OPERATIONS)

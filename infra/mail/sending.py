"""How this process sends mail, as its settings have it."""

from __future__ import annotations

from infra.checkout import LOCAL
from infra.mail.delivery import SmtpDelivery
from infra.mail.loop import MailLoop
from infra.mail.mailbox import FolderDelivery
from infra.mail.route import FolderRoute, SmtpRoute
from infra.services import Services
from infra.settings import Settings


def delivery_of(settings: Settings) -> SmtpDelivery | FolderDelivery:
    """Return what hands messages over."""
    match settings.mail:
        case SmtpRoute() as route:
            return SmtpDelivery(route)
        case FolderRoute(folder=folder):
            return FolderDelivery(folder)
        case None:
            return FolderDelivery(LOCAL / "mail")


def mailbox_of(settings: Settings) -> FolderDelivery | None:
    """Return the folder that keeps the mail of a development; None where a server takes it."""
    found = delivery_of(settings)
    return found if isinstance(found, FolderDelivery) else None


def mail_loop(services: Services) -> MailLoop:
    """Return the loop that sends what waits."""
    return MailLoop(
        services.mail_queue,
        delivery_of(services.settings),
        sender=services.settings.mail_from,
        answer_reset=services.password_resets.answer,
    )

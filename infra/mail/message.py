"""Letters as internet messages (RFC 5322)."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from uuid import UUID

from email_validator import validate_email
from typing_extensions import override

from infra.mail.letters import Letter, one_line

_LONGEST_SUBJECT = 200


class _Unfolded(UnstructuredHeader, BaseHeader):
    """A header of one long word, which the standard library would hide in an encoded one."""

    @override
    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Unfolded)
_POLICY = SMTP.clone(header_factory=_HEADERS)


def message_of(letter: Letter, *, id: UUID, sender: Address, at: datetime) -> EmailMessage:
    """Return the message that carries a letter.

    `id` is the letter's: one that is sent again, because nobody knows whether it arrived, has the
    same Message-ID, by which mail programs show it once.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    # The address alone: a name there would be what somebody typed.
    message["To"] = deliverable(letter.to)
    message["Subject"] = one_line(letter.subject, longest=_LONGEST_SUBJECT)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{id.hex}@{sender.domain}>"
    # RFC 3834: no out-of-office answers, please.
    message["Auto-Submitted"] = "auto-generated"
    if letter.stop_url is not None:
        message["List-Unsubscribe"] = f"<{letter.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message


def deliverable(text: str) -> Address:
    """Return an address as any server knows it, the domain in ASCII letters (IDNA).

    What is in front of the @ cannot be spelled otherwise: the server must know SMTPUTF8 then.
    """
    found = validate_email(text, check_deliverability=False, test_environment=True)
    return Address(username=found.local_part, domain=found.ascii_domain)

"""What we write to people.  Every letter is plain text, with an HTML twin that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import TypeAlias

import msgspec
from typing_extensions import override

from domain.leads import Lead

# Names are people's own: long ones, and those of several lines, must not take a letter over.
_LONGEST_NAME = 80


class Letter(msgspec.Struct, frozen=True, kw_only=True, tag="letter"):
    """One letter to one address.  Its text may hold a secret, so it is never stored in plain."""

    to: str
    subject: str
    text: str
    html: str
    stop_url: str | None = None
    """Where whoever wants no more letters like it says so, with one click (RFC 8058)."""

    @override
    def __repr__(self) -> str:
        return "Letter(…)"


class Button(msgspec.Struct, frozen=True):
    """A link that is the point of a letter."""

    label: str
    url: str


class Points(msgspec.Struct, frozen=True):
    """Several short things, one below the other."""

    lines: tuple[str, ...]


Part: TypeAlias = str | Button | Points


def invitation_letter(
    *, to: str, tenant: str, inviter: str | None, url: str, expires_at: datetime
) -> Letter:
    """Return the letter that invites somebody into a tenant."""
    company = one_line(tenant)
    host = f"{one_line(inviter)} invites you" if inviter else "You are invited"
    return _letter(
        to,
        f"Join {company} on Smarketing",
        f"{host} to join {company} on Smarketing, where sales and marketing keep their "
        "promises to each other.",
        Button("Accept the invitation", url),
        f"The link works once, until {_spoken(expires_at)}. If you did not expect this, "
        "ignore it: nothing happens without you.",
    )


def password_reset_letter(*, to: str, url: str, expires_at: datetime) -> Letter:
    """Return the letter by which somebody can choose a new password."""
    return _letter(
        to,
        "Choose a new password",
        "Somebody, hopefully you, asked for a new password for this address at Smarketing.",
        Button("Choose a new password", url),
        f"The link works once, until {_spoken(expires_at)}. If it was not you, ignore this: "
        "your password stays as it is.",
    )


def password_changed_letter(*, to: str, at: datetime, url: str) -> Letter:
    """Return the letter that tells somebody that his or her password is another now."""
    return _letter(
        to,
        "Your password was changed",
        f"The password for this address at Smarketing was changed, at {_spoken(at)}, and "
        "everybody who was signed in with the old one was signed out.",
        "If it was not you, choose a new one now, and tell an admin of your company.",
        Button("Choose a new password", url),
    )


def digest_letter(*, to: str, parts: Sequence[Part], url: str, stop_url: str) -> Letter:
    """Return the letter that tells marketing what became of its leads."""
    return _letter(
        to,
        "What became of your leads",
        *parts,
        Button("Ask for more", url),
        "You get this because you asked for it.",
        Button("No more of these letters", stop_url),
        stop_url=stop_url,
    )


def mention_letter(*, to: str, callers: str, parts: Sequence[Part], stop_url: str) -> Letter:
    """Return the letter that tells somebody where he or she was called."""
    return _letter(
        to,
        f"{one_line(callers)} asked for you",
        *parts,
        "You get this because you were called, by name or with your team, and have not read it"
        " yet.",
        Button("No more of these letters", stop_url),
        stop_url=stop_url,
    )


def one_line(text: str, *, longest: int = _LONGEST_NAME) -> str:
    """Return a text as it can stand in a line: without control characters, and not too long."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    words = " ".join(shown.split())
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def called(lead: Lead) -> str:
    """Return what a letter calls a lead."""
    full = " ".join(part for part in (lead.first_name, lead.last_name) if part)
    return one_line(full or lead.email or "a lead without a name")


def _letter(to: str, subject: str, *parts: Part, stop_url: str | None = None) -> Letter:
    text = "\n\n".join(_text(part) for part in parts)
    body = "\n".join(_html(part) for part in parts)
    return Letter(
        to=to,
        subject=subject,
        text=f"{text}\n",
        html=f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(subject)}</title></head>\n"
        f'<body style="font:16px/1.5 sans-serif;max-width:34em;margin:2em auto;padding:0 1em">\n'
        f"{body}\n</body></html>\n",
        stop_url=stop_url,
    )


def _text(part: Part) -> str:
    if isinstance(part, Points):
        return "\n".join(f"- {line}" for line in part.lines)
    return part if isinstance(part, str) else f"{part.label}:\n{part.url}"


def _html(part: Part) -> str:
    if isinstance(part, str):
        return f"<p>{escape(part)}</p>"
    if isinstance(part, Points):
        return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in part.lines)}</ul>"
    return f'<p><a href="{escape(part.url)}"><strong>{escape(part.label)}</strong></a></p>'


def _spoken(instant: datetime) -> str:
    return f"{instant.day} {instant:%B %Y, %H:%M} UTC"

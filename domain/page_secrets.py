"""What an address says of a person, and must not be kept: who it is, or how to be that person.

Forms that are sent by GET, links of mailers and pages behind a sign-in have addresses and keys in
their parameters.  Nobody can list all of them, so it is looked at what a parameter is called and at
what its value looks like; where in doubt it goes, and only the page is kept.
"""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[^\s/@?&=;,]+(?:@|%40)[^\s/@?&=;,]+\.[^\s/@?&=;,]+", re.IGNORECASE)
_WEB_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*", re.ASCII)
# Words of an address are parted by hyphens; so long a run of letters and digits is a key.
_KEY = re.compile(r"(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{32,}", re.ASCII)
_PHONE = re.compile(r"(?:\+|00)[\d\s().-]{7,20}", re.ASCII)
_SESSION = re.compile(r";[^/]*")

# Parts of which names of parameters are made: user_email, resetToken, sessionid.
_WORDS = re.compile(r"[a-z0-9]+", re.ASCII)
_PRIVATE_ENDS = (
    *("email", "mail", "token", "password", "passwd", "secret", "apikey", "sessionid", "sessid"),
    *("phone", "username", "firstname", "lastname", "fullname", "surname", "birthday", "birthdate"),
)
_PRIVATE_WORDS = frozenset(
    {
        *("auth", "authorization", "bearer", "code", "credential", "credentials", "jwt", "key"),
        *("login", "magic", "nonce", "otp", "pass", "pin", "pwd", "saml", "samlresponse"),
        *("session", "sid", "sig", "signature", "state", "ticket", "sso", "invite", "hmac"),
        *("name", "fname", "lname", "forename", "givenname", "user", "userid", "uid", "person"),
        *("contact", "contactid", "subscriber", "recipient", "customer", "customerid", "tel"),
        *("telephone", "mobile", "fax", "dob", "age", "gender", "salutation", "address", "street"),
        *("zip", "postcode", "plz", "iban", "bic", "card", "cvv", "cvc", "ssn", "vat", "passport"),
        *("lat", "lng", "lon", "ip", "ipaddress", "message", "comment"),
    }
)
_HIDDEN = "*"


def is_private_parameter(name: str) -> bool:
    """Say whether a parameter is called as one that tells of a person; its name in small letters.

    `email`, `user_email` and `e-mail` are; `colour` is not.
    """
    words = _WORDS.findall(name)
    joined = "".join(words)
    return joined.endswith(_PRIVATE_ENDS) or not _PRIVATE_WORDS.isdisjoint((*words, joined))


def is_private(text: str) -> bool:
    """Say whether a value looks like an e-mail address, a telephone number or a key."""
    return bool(
        _EMAIL.search(text)
        or _WEB_TOKEN.search(text)
        or _KEY.search(text)
        or _PHONE.fullmatch(text.strip())
    )


def without_private_parts(path: str) -> str:
    """Return a path with `*` for every part that looks like a person or a key."""
    path = _SESSION.sub("", path) if ";" in path else path
    parts = path.split("/")
    if not any(len(part) > _SHORTEST and is_private(part) for part in parts):
        return path
    return "/".join(_HIDDEN if is_private(part) else part for part in parts)


# No address has less than `a@b.c`.
_SHORTEST = 4

"""What is left of a company's name when nobody minds how it is written.

"ACME GmbH & Co. KG", "Acme" and "acmé, gmbh" are one company; "Acme Tools" is another.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

# Legal forms, as they read once dots are gone and the other marks are spaces.  Those of several
# words come apart into words that are legal forms themselves, or that link them.
LEGAL_FORMS: Final = frozenset(
    """
    ab ag aktiebolag aktiengesellschaft aktieselskab anonim aps as asa asbl bhd bt bv bvba
    co company corp corporation cv cvba dac dba doo dooel ead eg ehf eireli eirl ek eood
    eurl ev gbr genossenschaft ges gesmbh ggmbh gie gmbh gmbhco hb iks inc incorporated ivs
    kda kf kft kg kgaa kk ks ky limitada limited llc lllp llp lp ltd ltda ltee mbb mbh nv
    nyrt oao oe og ohf oo ohg ooo ou oy oyj oü pao partg partgmbb pbc pjsc plc pllc pte pty pvt
    sa sab sac sae sal saoc saog sapa sarl sas sasu sc sca sce scop scp scrl scs sdn se
    sicav sl slne slu smba snc soc sociedad societe sp spa spj spk spzoo srl srls sro uab ug
    ultd unltd vof vzw zao zoo zrt
    """.split()  # noqa: SIM905  # a literal of 120 strings would fill the screen
)
# The article, and legal forms of languages that write theirs in front of the name.
_IN_FRONT: Final = frozenset(["the", "ооо", "оао", "зао", "пао", "ао", "тов"])
# What stands between legal forms, or in one: `& Co.`, `(haftungsbeschränkt)`, `sp. z o.o.`.
_LINKS: Final = frozenset(
    ["and", "und", "et", "y", "e", "z", "sp", "rl", "de", "haftungsbeschrankt"]
)
_AT_THE_END: Final = LEGAL_FORMS | _LINKS
# Letters that are two marks by no rule of Unicode.
_SPELT: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "þ": "th"}
)
_DOTS = re.compile(r"(?<=\w)[.'’`´](?=\w|\W|$)")
_SLASHED = re.compile(r"(?<=\b\w)/(?=\w\b)")  # A/S
_MARKS = re.compile(r"[\W_]+")


@lru_cache(maxsize=8192)
def normal_name(name: str) -> str:
    """Return a company's name in small letters, without accents, marks and legal forms.

    It is its own normal name.  A name of nothing but legal forms keeps them ("Limited"), and one of
    nothing but marks stays as it is; so only no name has none.
    """
    folded = unicodedata.normalize("NFKD", name).casefold().translate(_SPELT)
    decomposed = unicodedata.normalize("NFKD", folded)
    bare = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    words = _MARKS.sub(" ", _SLASHED.sub("", _DOTS.sub("", bare))).split()
    return " ".join(_without_form(words) or bare.split() or decomposed.split())


def _without_form(words: list[str]) -> list[str]:
    """Return words without the legal form at their end, and what stands in front of a name."""
    while len(words) > 1 and words[0] in _IN_FRONT:
        words = words[1:]
    end = len(words)
    while end > 1 and words[end - 1] in _AT_THE_END:
        end -= 1
    # A link is cut with the form it belongs to, and is part of the name where there is none.
    return words[:end] if LEGAL_FORMS.intersection(words[end:]) else words

"""Which letters one wants."""

from __future__ import annotations

import strawberry

from api.context import Info
from api.errors import SIGNED_IN, mutation
from api.identity import UserView
from api.views import shown
from domain.identity import User
from domain.letters import want_mention_letters


@strawberry.input(description="Whether you want a letter when somebody calls you in a thread.")
class MentionLettersSetInput:
    wanted: bool = shown("Whether you do.")


@strawberry.type
class Mutations:
    @mutation(
        UserView,
        "Say whether you want a letter when somebody calls you in a thread, and you do not read it"
        " within five minutes.",
        needs=SIGNED_IN,
    )
    async def mention_letters_set(self, info: Info, input: MentionLettersSetInput) -> User:
        async with info.context.writing() as work:
            return await want_mention_letters(work, info.context.actor, wanted=input.wanted)

"""A believable tenant to look at: two teams, a signed agreement, leads with a history, and life.

Nothing here is a fixture poured into tables.  The history is lived through: the ordinary use cases
run under a clock that starts weeks ago and arrives at the present, so every stage, clock, tally
and event is one that the product made itself.
"""

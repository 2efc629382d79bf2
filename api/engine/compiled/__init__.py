"""Queries compiled to levels of columns, with graphql-core for whatever is unusual.

graphql-core executes one field of one object after the other, which is nine tenths of what a list
costs.  Here a field is executed once for all objects of its level.  What the answer has to be is
what graphql-core says: tests compare the two, and where the compiled operation meets an error, an
abstract type or anything else out of the ordinary, graphql-core runs it again.
"""

from api.engine.compiled.declared import LoadMany, many_at_once
from api.engine.compiled.plans import Plan, Plans
from api.engine.compiled.unusual import Unusual

__all__ = ["LoadMany", "Plan", "Plans", "Unusual", "many_at_once"]

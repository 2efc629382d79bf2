"""Touches, the visitors they come from, and the story they make of a person."""

from api.touches.operations import Mutations, Queries
from api.touches.views import TouchView, VisitorView

__all__ = ["Mutations", "Queries", "TouchView", "VisitorView"]

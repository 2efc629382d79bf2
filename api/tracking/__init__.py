"""Web sites that tell what visitors do there: their keys, the script, and where beacons go."""

from api.tracking.sites import Mutations, Queries, TrackingSiteView

__all__ = ["Mutations", "Queries", "TrackingSiteView"]

"""Files that people send: asking where to, sending them, and showing photos."""

from api.uploads.routes import largest_photo, photo_url, upload_routes, upload_url
from api.uploads.tickets import Mutations, UploadTicketView, UploadView, ticket_for

__all__ = [
    "Mutations",
    "UploadTicketView",
    "UploadView",
    "largest_photo",
    "photo_url",
    "ticket_for",
    "upload_routes",
    "upload_url",
]

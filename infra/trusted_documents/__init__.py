"""Documents that clients uploaded beforehand, to ask for by id; and, if wanted, for no others."""

from infra.trusted_documents.keeping import Change, Keeper
from infra.trusted_documents.library import TrustedDocuments
from infra.trusted_documents.manifest import BadManifest, Entry, entries_of

__all__ = ["BadManifest", "Change", "Entry", "Keeper", "TrustedDocuments", "entries_of"]

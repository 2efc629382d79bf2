"""Mail: what is written in a transaction is queued with it, sealed, and sent after it."""

"""The audit log over PostgreSQL: what a transaction changed, the chain, and its verification."""

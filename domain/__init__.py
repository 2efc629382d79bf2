"""Rules and use cases of sales and marketing working as one.  Standard library only."""

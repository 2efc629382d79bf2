"""The GraphQL and HTTP surface.  It translates and decides nothing."""

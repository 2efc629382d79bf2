"""The pages people look at, and their static files: Python draws, the scripts keep it fresh."""

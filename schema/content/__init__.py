"""Content: what all kinds share (`base`), their comments, and one file for each kind."""

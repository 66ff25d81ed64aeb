"""The bundled object store for development: a small, honest subset of S3 on loopback.

Promises: what it does, it does as S3 does (signatures, checksums, conditions, durability); what it does not do
it refuses with 501 and a reason. Never listens beyond this machine, never pretends to be for production.
"""

"""Bytes: files of sites in S3-compatible object storage, each site under its own key prefix.

It holds the S3 client, the keys, presigned URLs, scanning, and a small development store for machines without S3. It
promises that a key of one site can never be made from the name of another, and that bytes travel between the client
and the store, not through the gateway. It never imports `auth`, never decides who may read a file, and never reads or
writes Postgres on its own: what is known about a file is a row in `tenants`.
"""

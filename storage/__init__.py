"""The floor that holds bytes: an S3 client, signed URLs, and a bundled store for development.

Promises: every key lies under one tenant's prefix; callers see only the errors of `storage.errors`.
Never reads the environment, never knows who is asking, never imports another floor but `tenants`.
"""

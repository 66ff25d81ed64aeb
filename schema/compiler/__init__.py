"""From a GraphQL operation to SQL that answers it: selection, parts, SQL, pagination, filters.

Promises: pure. Nothing here talks to a database; values of a request are always bound, never in the text.
"""

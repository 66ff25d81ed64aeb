"""The ground floor: Postgres, and everything that is one site's or the platform's in it.

It holds the registry of sites, the tables, the migrations, provisioning, the rollups and the outbox. It promises that
a site exists whole or not at all, that a statement for one site runs under that site's own role, and that no statement
needs two sites in one transaction. It never imports another floor, never speaks GraphQL or HTTP, never decides who may
see a thing (that is `auth`), and never keeps the tenant anywhere but in an argument.
"""

"""The GraphQL schema and its compiler: what can be asked, what can be done, and the SQL that answers it.

It declares the types, where each field lives, and the service functions behind the mutations; its compiler turns a
validated document into one statement per site. It promises that a type without a policy does not build, and that
values are always bound, never part of the text. It never opens a socket, never reads the environment, and never
commits: transactions end at the gateway's edge.
"""

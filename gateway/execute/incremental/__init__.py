"""Answers in parts, for `@defer` and `@stream`: what is there is told at once, and the rest as each site answers.

`sources` are the reads that are waited for, `tree` what hangs on which of them, `delivery` what the client is told and
when, `fields` the root fields that give their answer with gaps.
"""

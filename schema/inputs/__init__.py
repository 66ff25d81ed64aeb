"""What mutations are given: an input type for each, a noun per file.

Promises: an input says what a field is for, not whether a value is right; the service that gets it does.
"""

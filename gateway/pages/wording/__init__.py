"""Texts of the pages, a file for each group of pages: key to English and Dutch."""

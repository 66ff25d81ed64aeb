"""Mail to people: what waits in the database is handed to a mail server, or written to the log in development."""

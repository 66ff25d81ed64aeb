"""The door: HTTP, WebSocket, SSE, login, files, health, and the command line.

It reads the settings, opens the pools, finds out who asks, runs compiled documents and puts the answer on the wire. It
promises a limit on everything that comes in and a coded error for everything that goes wrong, with unknown exceptions
masked. It never holds rules about sites or access: those are on the floors below, where every door shares them.
"""

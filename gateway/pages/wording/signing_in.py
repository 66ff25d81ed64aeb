"""Texts of signing in and out."""

WORDS = {
    "sign_in.title": ("Sign in", "Inloggen"),
    "sign_in.already": ("You are signed in as {name}.", "U bent ingelogd als {name}."),
    "sign_in.go_on": ("Continue", "Verder"),
    "sign_in.with": ("Sign in with {name}", "Inloggen met {name}"),
    "sign_out.title": ("Sign out", "Uitloggen"),
    "sign_out.ask": (
        "You are signed in as {name}. Signing out here also signs you out of the sites you went to from here.",
        "U bent ingelogd als {name}. Als u hier uitlogt, bent u ook uitgelogd op de sites waar u vanaf hier heen ging.",
    ),
    "sign_out.do": ("Sign out", "Uitloggen"),
    "sign_out.done_title": ("You are signed out", "U bent uitgelogd"),
    "sign_out.done": (
        "Nobody is signed in in this browser.",
        "In deze browser is niemand ingelogd.",
    ),
}

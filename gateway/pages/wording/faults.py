"""Texts of pages that tell what went wrong."""

WORDS = {
    "error.title": ("Something went wrong", "Er ging iets mis"),
    "error.again": ("Try again", "Probeer het nog eens"),
    "error.front": ("To the front page", "Naar de voorpagina"),
    "error.code": ("Code:", "Code:"),
    "error.request": ("Request:", "Verzoek:"),
    "error.other": ("That did not work.", "Dat is niet gelukt."),
    "error.NOT_FOUND": ("There is nothing at this address.", "Op dit adres is niets te vinden."),
    "error.FORBIDDEN": ("You may not do this.", "U mag dit niet doen."),
    "error.UNAUTHENTICATED": ("Sign in first.", "Log eerst in."),
    "error.BAD_USER_INPUT": (
        "What was sent is not in order.",
        "Wat er is verstuurd, klopt niet.",
    ),
    "error.CONFLICT": (
        "Somebody else is changing the same thing just now. Try again in a moment.",
        "Iemand anders verandert dit op dit moment ook. Probeer het over een ogenblik nog eens.",
    ),
    "error.RATE_LIMITED": (
        "There were too many attempts. Wait a while and try again.",
        "Er zijn te veel pogingen gedaan. Wacht even en probeer het dan nog eens.",
    ),
    "error.UNAVAILABLE": (
        "This cannot be done just now. Try again in a moment.",
        "Dit kan op dit moment niet. Probeer het over een ogenblik nog eens.",
    ),
    "error.INTERNAL_SERVER_ERROR": (
        "Something went wrong on our side. It has been logged.",
        "Er ging bij ons iets mis. Het is vastgelegd.",
    ),
}

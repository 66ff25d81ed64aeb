"""Texts around every page, and of forms in general."""

WORDS = {
    "frame.skip": ("Skip to the content", "Naar de inhoud"),
    "frame.language": ("Language", "Taal"),
    "frame.signed_in_as": ("Signed in as {name}", "Ingelogd als {name}"),
    "frame.account": ("Your account", "Uw account"),
    "frame.sign_out": ("Sign out", "Uitloggen"),
    "form.summary": ("There is a problem", "Er is een probleem"),
    "form.error": ("Error:", "Fout:"),
    "form.back": ("Back to your account", "Terug naar uw account"),
    "form.optional": ("(optional)", "(niet verplicht)"),
    "form.elsewhere": (
        "This form was not sent from a page of ours, so nothing was done.",
        "Dit formulier is niet vanaf een pagina van ons verstuurd. Er is niets gedaan.",
    ),
    "form.stale": (
        "This form is too old, or cookies are off in this browser. Nothing was done; please try again.",
        "Dit formulier is te oud, of cookies staan uit in deze browser. Er is niets gedaan; probeer het nog eens.",
    ),
    "form.shape": ("This is not a form of ours.", "Dit is geen formulier van ons."),
}

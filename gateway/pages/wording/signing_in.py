"""Texts of signing in and out."""

WORDS = {
    "sign_in.title": ("Sign in", "Inloggen"),
    "sign_in.do": ("Sign in", "Inloggen"),
    "sign_in.already": ("You are signed in as {name}.", "U bent ingelogd als {name}."),
    "sign_in.go_on": ("Continue", "Verder"),
    "sign_in.with": ("Sign in with {name}", "Inloggen met {name}"),
    "sign_in.with_password": ("With e-mail address and password", "Met e-mailadres en wachtwoord"),
    "sign_in.no_account": ("No account yet?", "Nog geen account?"),
    "sign_in.nowhere": ("There is no way to sign in here yet.", "Hier kan nog niet worden ingelogd."),
    "sign_in.done": ("You are signed in", "U bent ingelogd"),
    "site.title": ("Go on to {host}", "Verder naar {host}"),
    "site.ask": (
        "You sign in there as {name}. Whoever keeps {host} learns your name. What you can do there is limited to "
        "that site.",
        "U logt daar in als {name}. Wie {host} beheert, ziet uw naam. Wat u daar kunt doen, blijft beperkt tot die "
        "site.",
    ),
    "site.do": ("Sign in there", "Daar inloggen"),
    "site.refused": (
        "Signing in on this site did not work: it took too long, or began in another browser.",
        "Inloggen op deze site is niet gelukt: het duurde te lang of begon in een andere browser.",
    ),
    "sign_in.email_missing": ("Enter your e-mail address", "Vul uw e-mailadres in"),
    "sign_in.password_missing": ("Enter your password", "Vul uw wachtwoord in"),
    "sign_in.wrong": (
        "This e-mail address and password do not belong together",
        "Dit e-mailadres en wachtwoord horen niet bij elkaar",
    ),
    "code.title": ("Enter a code", "Vul een code in"),
    "code.label": ("Code", "Code"),
    "code.hint": (
        "The six digits that your authenticator app shows now, or one of your recovery codes",
        "De zes cijfers die uw authenticator-app nu laat zien, of een van uw herstelcodes",
    ),
    "code.lost": (
        "Lost your app and your recovery codes? Ask whoever runs this platform.",
        "App en herstelcodes kwijt? Vraag het de beheerder van dit platform.",
    ),
    "code.missing": ("Enter the code", "Vul de code in"),
    "code.wrong": (
        "This code is wrong, or was used before; wait for the next one",
        "Deze code klopt niet of is al gebruikt; wacht op de volgende",
    ),
    "again.title": ("Confirm that it is you", "Bevestig dat u het bent"),
    "again.why": (
        "You are signed in as {name}. For what follows, sign in once more.",
        "U bent ingelogd als {name}. Log voor wat nu volgt nog een keer in.",
    ),
    "again.wrong": ("This is not your password", "Dit is niet uw wachtwoord"),
    "again.none": (
        "This account has no password. Sign out, and sign in again the way you did.",
        "Dit account heeft geen wachtwoord. Log uit en log weer in zoals u dat eerder deed.",
    ),
    "sign_out.title": ("Sign out", "Uitloggen"),
    "sign_out.ask": (
        "You are signed in as {name}. Signing out here also signs you out of the sites you went to from here.",
        "U bent ingelogd als {name}. Als u hier uitlogt, bent u ook uitgelogd op de sites waar u vanaf hier heen ging.",
    ),
    "sign_out.do": ("Sign out", "Uitloggen"),
    "sign_out.done_title": ("You are signed out", "U bent uitgelogd"),
    "sign_out.done": ("Nobody is signed in in this browser.", "In deze browser is niemand ingelogd."),
}

"""Texts of somebody's account."""

WORDS = {
    "account.how": ("How you sign in", "Hoe u inlogt"),
    "account.change_email": ("Change address", "Adres wijzigen"),
    "account.change_password": ("Change password", "Wachtwoord wijzigen"),
    "account.change_app": ("Change app", "App wijzigen"),
    "account.app_on": (
        "Authenticator app, with {codes} recovery codes left",
        "Authenticator-app, met nog {codes} herstelcodes",
    ),
    "account.app_off": ("No authenticator app", "Geen authenticator-app"),
    "account.no_password": (
        "This account does not sign in with a password.",
        "Dit account logt niet in met een wachtwoord.",
    ),
    "account.sessions": ("Where you are signed in", "Waar u ingelogd bent"),
    "account.this_one": ("this browser", "deze browser"),
    "account.unknown_device": ("Unknown browser", "Onbekende browser"),
    "account.seen": ("From {address}, last used {day} {time} UTC", "Vanaf {address}, laatst gebruikt {day} {time} UTC"),
    "account.end": ("Sign out", "Uitloggen"),
    "account.end_label": ("Sign out {device}, last used {time}", "{device} uitloggen, laatst gebruikt {time}"),
    "account.end_others": ("Sign out everywhere else", "Overal elders uitloggen"),
    "account.done_registered": (
        "Your account is made, and you are signed in.",
        "Uw account is gemaakt en u bent ingelogd.",
    ),
    "account.done_password": ("Your password is changed.", "Uw wachtwoord is gewijzigd."),
    "account.done_email_asked": (
        "We have sent two mails. Your address changes once you confirmed in both.",
        "We hebben twee mails gestuurd. Uw adres verandert zodra u in allebei hebt bevestigd.",
    ),
    "account.done_second_factor_off": ("Your app is removed.", "Uw app is verwijderd."),
    "account.done_session": ("That browser is signed out.", "Die browser is uitgelogd."),
    "account.done_sessions": ("You are signed out everywhere else.", "U bent overal elders uitgelogd."),
    "second_factor.title": ("Authenticator app", "Authenticator-app"),
    "second_factor.add": ("Add an authenticator app", "Authenticator-app toevoegen"),
    "second_factor.is_on": (
        "Signing in takes a code of your app besides your password.",
        "Om in te loggen is naast uw wachtwoord een code van uw app nodig.",
    ),
    "second_factor.is_on_now": (
        "Your app is added. From now on signing in takes a code of it.",
        "Uw app is toegevoegd. Voortaan is om in te loggen een code ervan nodig.",
    ),
    "second_factor.how": (
        "Scan this picture with an authenticator app, and enter the code that it shows.",
        "Scan dit plaatje met een authenticator-app en vul de code in die hij laat zien.",
    ),
    "second_factor.qr": (
        "QR code for the app; the same as text is below",
        "QR-code voor de app; als tekst staat hij eronder",
    ),
    "second_factor.type": ("Or type this into the app:", "Of typ dit over in de app:"),
    "second_factor.code_label": ("Code of the app", "Code van de app"),
    "second_factor.do": ("Add the app", "App toevoegen"),
    "second_factor.off_title": ("Remove the app", "App verwijderen"),
    "second_factor.off": (
        "Signing in then takes your password only. For another app, remove this one and add the other.",
        "Om in te loggen is dan alleen uw wachtwoord nodig. Voor een andere app verwijdert u deze en voegt u de "
        "andere toe.",
    ),
    "second_factor.off_do": ("Remove the app", "App verwijderen"),
    "recovery.title": ("Recovery codes", "Herstelcodes"),
    "recovery.keep": (
        "Each of these codes stands in for your app once, for when you lose it. Keep them where you would find them "
        "then. "
        "They are shown this once.",
        "Elk van deze codes vervangt uw app een keer, voor als u hem kwijt bent. Bewaar ze waar u ze dan kunt "
        "vinden. Ze "
        "worden alleen nu getoond.",
    ),
    "recovery.kept": ("I have kept them", "Ik heb ze bewaard"),
    "recovery.renew": ("New codes replace the ones you have.", "Nieuwe codes vervangen die u hebt."),
    "recovery.renew_do": ("Make new codes", "Nieuwe codes maken"),
}

"""Texts of mails."""

WORDS = {
    "letter.end": (
        "Plein, {base}\nThis mail was sent because somebody filled in your address there.",
        "Plein, {base}\nDeze mail is verstuurd omdat iemand daar uw adres heeft ingevuld.",
    ),
    "letter.register.subject": ("Finish making your account", "Maak uw account af"),
    "letter.register": (
        "Somebody, probably you, wants to make an account with this address. Go on here:\n\n{link}\n\n"
        "This link works once, for 24 hours. If it was not you, you need not do anything: no account was made.",
        "Iemand, waarschijnlijk u, wil met dit adres een account maken. Ga hier verder:\n\n{link}\n\n"
        "Deze link werkt een keer, 24 uur lang. Was u het niet? Dan hoeft u niets te doen: er is geen account gemaakt.",
    ),
    "letter.invite.subject": ("You are invited to Plein", "U bent uitgenodigd voor Plein"),
    "letter.invite": (
        "You are invited to make an account with this address. Go on here:\n\n{link}\n\nThis link works once, for "
        "14 days.",
        "U bent uitgenodigd om met dit adres een account te maken. Ga hier verder:\n\n{link}\n\n"
        "Deze link werkt een keer, 14 dagen lang.",
    ),
    "letter.known.subject": ("You already have an account", "U hebt al een account"),
    "letter.known": (
        "Somebody, probably you, wanted to make an account with this address, but you have one already. "
        "Sign in at {base}/sign-in.\n\nIf you do not know your password any more, choose a new one here. "
        "This link works once, for an hour:\n\n{link}",
        "Iemand, waarschijnlijk u, wilde met dit adres een account maken, maar u hebt er al een. "
        "Log in op {base}/sign-in.\n\nWeet u uw wachtwoord niet meer? Kies dan hier een nieuw. "
        "Deze link werkt een keer, een uur lang:\n\n{link}",
    ),
    "letter.elsewhere.subject": ("How you sign in", "Hoe u inlogt"),
    "letter.elsewhere": (
        "Somebody, probably you, asked about the account with this address. It does not sign in with a password, so "
        "there is none to choose. The ways to sign in are at:\n\n{link}",
        "Iemand, waarschijnlijk u, vroeg naar het account met dit adres. Dat logt niet in met een wachtwoord, dus "
        "er is "
        "er geen te kiezen. Hoe u wel kunt inloggen, ziet u op:\n\n{link}",
    ),
    "letter.reset.subject": ("Choose a new password", "Kies een nieuw wachtwoord"),
    "letter.reset": (
        "Somebody, probably you, wants a new password for your account. Choose it here:\n\n{link}\n\n"
        "This link works once, for an hour. If it was not you, you need not do anything: your password stays as it is.",
        "Iemand, waarschijnlijk u, wil een nieuw wachtwoord voor uw account. Kies het hier:\n\n{link}\n\n"
        "Deze link werkt een keer, een uur lang. Was u het niet? Dan hoeft u niets te doen: uw wachtwoord blijft zoals "
        "het is.",
    ),
    "letter.unknown.subject": ("There is no account with this address", "Er is geen account met dit adres"),
    "letter.unknown": (
        "Somebody, probably you, wants a new password for an account with this address, but there is none. Perhaps you "
        "made it with another address. The ways to sign in are at:\n\n{link}",
        "Iemand, waarschijnlijk u, wil een nieuw wachtwoord voor een account met dit adres, maar dat is er niet. "
        "Misschien hebt u het met een ander adres gemaakt. Hoe u kunt inloggen, ziet u op:\n\n{link}",
    ),
    "letter.unknown_open.subject": ("There is no account with this address", "Er is geen account met dit adres"),
    "letter.unknown_open": (
        "Somebody, probably you, wants a new password for an account with this address, but there is none. Perhaps you "
        "made it with another address. To make one with this address, go here. This link works once, for 24 hours:\n\n"
        "{link}",
        "Iemand, waarschijnlijk u, wil een nieuw wachtwoord voor een account met dit adres, maar dat is er niet. "
        "Misschien hebt u het met een ander adres gemaakt. Wilt u met dit adres een account maken, ga dan hierheen. "
        "Deze "
        "link werkt een keer, 24 uur lang:\n\n{link}",
    ),
    "letter.change_old.subject": ("Another address for your account?", "Een ander adres voor uw account?"),
    "letter.change_old": (
        "You want another address for your account. Confirm here that you do, and in the mail to the new address as "
        "well:\n\n{link}\n\nThis link works for 24 hours. If it was not you, choose a new password: somebody is in "
        "your "
        "account.",
        "U wilt een ander adres voor uw account. Bevestig dat hier, en ook in de mail aan het nieuwe "
        "adres:\n\n{link}\n\n"
        "Deze link werkt 24 uur. Was u het niet? Kies dan een nieuw wachtwoord: iemand is in uw account.",
    ),
    "letter.change_new.subject": ("Confirm your new address", "Bevestig uw nieuwe adres"),
    "letter.change_new": (
        "You want to use this address for your account. Confirm it here, and in the mail to your old address as well:"
        "\n\n{link}\n\nThis link works for 24 hours.",
        "U wilt dit adres voor uw account gebruiken. Bevestig het hier, en ook in de mail aan uw oude adres:\n\n{link}"
        "\n\nDeze link werkt 24 uur.",
    ),
    "letter.change_taken.subject": ("This address has an account", "Dit adres heeft al een account"),
    "letter.change_taken": (
        "Somebody, probably you, wants to use this address for another account, but there is an account with it "
        "already. "
        "Nothing was changed. The ways to sign in are at:\n\n{link}",
        "Iemand, waarschijnlijk u, wil dit adres voor een ander account gebruiken, maar er is al een account mee. "
        "Er is "
        "niets veranderd. Hoe u kunt inloggen, ziet u op:\n\n{link}",
    ),
    "letter.password_changed.subject": ("Your password was changed", "Uw wachtwoord is veranderd"),
    "letter.password_changed": (
        "Your account has a new password, and was signed out everywhere else. If it was not you, choose a new password "
        "at {base}/forgot now.",
        "Uw account heeft een nieuw wachtwoord en is overal elders uitgelogd. Was u het niet? Kies dan nu een nieuw "
        "wachtwoord op {base}/forgot.",
    ),
    "letter.email_changed.subject": ("Your address was changed", "Uw adres is veranderd"),
    "letter.email_changed": (
        "From now on your account has the address {email}. Mail does not come here any more.",
        "Uw account heeft voortaan het adres {email}. Hier komt geen mail meer.",
    ),
    "letter.second_factor_on.subject": ("An authenticator app was added", "Er is een authenticator-app toegevoegd"),
    "letter.second_factor_on": (
        "From now on signing in to your account takes a code of an app as well. If it was not you, choose a new "
        "password "
        "at {base}/forgot now.",
        "Om in te loggen op uw account is voortaan ook een code van een app nodig. Was u het niet? Kies dan nu een "
        "nieuw "
        "wachtwoord op {base}/forgot.",
    ),
    "letter.second_factor_off.subject": ("Your authenticator app was removed", "Uw authenticator-app is verwijderd"),
    "letter.second_factor_off": (
        "From now on signing in to your account takes your password only. If it was not you, choose a new password at "
        "{base}/forgot now.",
        "Om in te loggen op uw account is voortaan alleen uw wachtwoord nodig. Was u het niet? Kies dan nu een nieuw "
        "wachtwoord op {base}/forgot.",
    ),
}

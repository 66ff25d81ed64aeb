"""Texts of signing in at issuers, and of one more way to sign in to an account."""

THEIRS = ("The service that you sign in with ", "De dienst waarmee u inlogt ")

WORDS = {
    "error.ISSUER_UNKNOWN": (
        "There is no such way to sign in here.",
        "Zo kunt u hier niet inloggen.",
    ),
    "error.ISSUER_UNREACHABLE": (
        THEIRS[0] + "does not answer just now. Try again in a moment, or sign in in another way.",
        THEIRS[1] + "antwoordt op dit moment niet. Probeer het over een ogenblik nog eens, of log anders in.",
    ),
    "error.ISSUER_FAULTY": (
        THEIRS[0] + "gave an answer that makes no sense. Its administrator or ours has to mend this.",
        THEIRS[1] + "gaf een antwoord dat niet klopt. De beheerder daar of hier moet dit oplossen.",
    ),
    "error.ISSUER_REFUSED": (
        THEIRS[0] + "refused. Its administrator or ours can find out why.",
        THEIRS[1] + "weigert. De beheerder daar of hier kan nagaan waarom.",
    ),
    "error.ISSUER_MISMATCH": (
        "The answer came from another service than the one you chose, so you were not signed in.",
        "Het antwoord kwam van een andere dienst dan u koos. U bent daarom niet ingelogd.",
    ),
    "error.SIGN_IN_CANCELLED": ("You did not sign in.", "U bent niet ingelogd."),
    "error.SIGN_IN_EXPIRED": (
        "Signing in took too long, was done already, or began in another browser. Begin again.",
        "Het inloggen duurde te lang, was al gedaan, of begon in een andere browser. Begin opnieuw.",
    ),
    "error.ID_TOKEN_INVALID": (
        THEIRS[0] + "gave a statement that cannot be trusted, so you were not signed in.",
        THEIRS[1] + "gaf een verklaring die niet te vertrouwen is. U bent daarom niet ingelogd.",
    ),
    "error.LOGOUT_TOKEN_INVALID": (
        "What was told of a session that is over cannot be trusted.",
        "Wat over een beëindigde sessie werd verteld, is niet te vertrouwen.",
    ),
    "error.STEP_UP_FAILED": (
        "You signed in, but without the second step that is asked for here.",
        "U hebt ingelogd, maar zonder de tweede stap die hier wordt gevraagd.",
    ),
    "error.EMAIL_MISSING": (
        THEIRS[0] + "did not tell us your e-mail address, and an account needs one.",
        THEIRS[1] + "gaf uw e-mailadres niet door. Zonder dat kan er geen account zijn.",
    ),
    "error.EMAIL_UNVERIFIED": (
        THEIRS[0] + "did not check whether your e-mail address is yours. Have it checked there first.",
        THEIRS[1] + "heeft niet gecontroleerd of uw e-mailadres van u is. Laat het daar eerst controleren.",
    ),
    "error.EMAIL_TAKEN": (
        "With this e-mail address no account can be made.",
        "Met dit e-mailadres kan geen account worden gemaakt.",
    ),
    "error.EMAIL_DOMAIN": (
        "In this way, accounts are for people with other e-mail addresses only.",
        "Op deze manier zijn accounts alleen voor mensen met andere e-mailadressen.",
    ),
    "error.INVITATION_NEEDED": (
        "In this way, accounts are for people who were invited only.",
        "Op deze manier zijn accounts alleen voor wie is uitgenodigd.",
    ),
    "error.IDENTITY_TAKEN": (
        "This way to sign in belongs to another account already.",
        "Deze manier van inloggen hoort al bij een ander account.",
    ),
    "error.ACCOUNT_CLOSED": ("This account cannot be used now.", "Dit account kan nu niet worden gebruikt."),
    "identities.title": ("Ways to sign in", "Manieren om in te loggen"),
    "identities.since": ("since {day}", "sinds {day}"),
    "identities.used": ("last used on {day}", "laatst gebruikt op {day}"),
    "identities.none": ("You do not sign in with any other service.", "U logt niet in met een andere dienst."),
    "identities.unlink": ("Take away", "Weghalen"),
    "identities.unlink_label": ("Take away: sign in with {name}", "Weghalen: inloggen met {name}"),
    "identities.more": ("One more", "Nog een"),
    "identities.link": ("Also sign in with {name}", "Ook inloggen met {name}"),
    "identities.last": (
        "This is the only way in which you can sign in. Add another one first.",
        "Dit is de enige manier waarop u kunt inloggen. Voeg er eerst een toe.",
    ),
    "link.title": ("One more way to sign in", "Nog een manier om in te loggen"),
    "link.ask": (
        "You signed in at {issuer} as {email}. From now on, let that be one more way to sign in to the account of "
        "{name} ({account})?",
        "U hebt bij {issuer} ingelogd als {email}. Wilt u daarmee voortaan ook inloggen op het account van {name}"
        " ({account})?",
    ),
    "link.yes": ("Yes, link it", "Ja, koppelen"),
    "link.no": ("No", "Nee"),
    "link.sign_in": (
        "You signed in at {issuer} as {email}. There is an account here with that address. Is it yours? Then sign in to"
        " it in the way you did until now; after that you can link the two.",
        "U hebt bij {issuer} ingelogd als {email}. Hier is al een account met dat adres. Is het van u? Log er dan op in"
        " zoals u tot nu toe deed; daarna kunt u de twee koppelen.",
    ),
    "link.sign_in_do": ("Sign in to that account", "Inloggen op dat account"),
}

"""Texts of accounts that sign in here: addresses, names, passwords, links."""

WORDS = {
    "email.label": ("E-mail address", "E-mailadres"),
    "email.new_label": ("New e-mail address", "Nieuw e-mailadres"),
    "email.title": ("Change your e-mail address", "Uw e-mailadres wijzigen"),
    "email.how": (
        "Your address is {email}. We send a mail to it and one to the new address. Confirm in both.",
        "Uw adres is {email}. We sturen een mail daarheen en een naar het nieuwe adres. Bevestig in allebei.",
    ),
    "email.do": ("Send the mails", "Verstuur de mails"),
    "email.missing": ("Enter an e-mail address", "Vul een e-mailadres in"),
    "email.wrong": (
        "Enter an e-mail address such as name@example.nl",
        "Vul een e-mailadres in zoals naam@voorbeeld.nl",
    ),
    "email.same": ("This is your address already", "Dit is al uw adres"),
    "email.confirm": (
        "Confirm that {email} is to be the address of your account.",
        "Bevestig dat {email} het adres van uw account moet worden.",
    ),
    "email.confirm_do": ("Confirm", "Bevestigen"),
    "email.half": (
        "Thank you. Confirm in the other mail as well; then your address changes.",
        "Dank u wel. Bevestig ook in de andere mail; dan verandert uw adres.",
    ),
    "email.changed": ("Your address is {email} now.", "Uw adres is nu {email}."),
    "name.label": ("Name", "Naam"),
    "name.hint": ("This is how others see you.", "Zo zien anderen u."),
    "name.missing": ("Enter your name", "Vul uw naam in"),
    "name.wrong": (
        "A name has at most {most} characters, in one line",
        "Een naam heeft hoogstens {most} tekens, op een regel",
    ),
    "password.label": ("Password", "Wachtwoord"),
    "password.current_label": ("Current password", "Huidig wachtwoord"),
    "password.new_label": ("New password", "Nieuw wachtwoord"),
    "password.title": ("Change your password", "Uw wachtwoord wijzigen"),
    "password.how": (
        "You stay signed in here, and are signed out everywhere else.",
        "U blijft hier ingelogd en wordt overal elders uitgelogd.",
    ),
    "password.do": ("Save the password", "Wachtwoord bewaren"),
    "password.hint": (
        "At least 12 characters. A few words that do not belong together are easy to remember and hard to guess.",
        "Minstens 12 tekens. Een paar woorden die niet bij elkaar horen, zijn goed te onthouden en lastig te raden.",
    ),
    "password.missing": ("Enter a password", "Vul een wachtwoord in"),
    "password.current_missing": ("Enter your current password", "Vul uw huidige wachtwoord in"),
    "password.short": (
        "A password has at least {least} characters",
        "Een wachtwoord heeft minstens {least} tekens",
    ),
    "password.long": ("A password has at most {most} characters", "Een wachtwoord heeft hoogstens {most} tekens"),
    "password.repeated": (
        "This password is one thing over and over; choose another",
        "Dit wachtwoord is steeds hetzelfde; kies een ander",
    ),
    "password.row": (
        "This password is a row of keys or letters; choose another",
        "Dit wachtwoord is een rij toetsen of letters; kies een ander",
    ),
    "password.easy": (
        "This password is made of words that are guessed first; choose another",
        "Dit wachtwoord bestaat uit woorden die als eerste worden geraden; kies een ander",
    ),
    "password.own": (
        "This password is made of your name, your address or the name of this platform; choose another",
        "Dit wachtwoord bestaat uit uw naam, uw adres of de naam van dit platform; kies een ander",
    ),
    "register.title": ("Make an account", "Account maken"),
    "register.how": (
        "We send a mail with a link to your address. With that you choose a name and a password.",
        "We sturen een mail met een link naar uw adres. Daarmee kiest u een naam en een wachtwoord.",
    ),
    "register.send": ("Send the mail", "Verstuur de mail"),
    "register.closed": (
        "Here nobody can make an account without an invitation.",
        "Hier kan niemand zonder uitnodiging een account maken.",
    ),
    "register.no_mail": (
        "This platform sends no mail, so this cannot be done here.",
        "Dit platform verstuurt geen mail, dus dit kan hier niet.",
    ),
    "mail.title": ("Look in your mail", "Kijk in uw mail"),
    "mail.sent": (
        "We have sent a mail to {email}. It says how to go on.",
        "We hebben een mail gestuurd naar {email}. Daarin staat hoe u verdergaat.",
    ),
    "mail.not_there": (
        "No mail after a few minutes? Look among the unwanted mail, and whether the address is right.",
        "Na een paar minuten nog geen mail? Kijk bij de ongewenste mail, en of het adres klopt.",
    ),
    "mail.again": ("Once more", "Nog een keer"),
    "finish.title": ("Finish your account", "Uw account afmaken"),
    "finish.how": ("Your account has the address {email}.", "Uw account heeft het adres {email}."),
    "finish.do": ("Make the account", "Account maken"),
    "forgot.title": ("Choose a new password", "Een nieuw wachtwoord kiezen"),
    "forgot.link": ("Forgotten your password?", "Wachtwoord vergeten?"),
    "forgot.how": (
        "We send a mail with a link to your address. With that you choose a new password.",
        "We sturen een mail met een link naar uw adres. Daarmee kiest u een nieuw wachtwoord.",
    ),
    "reset.title": ("Choose a new password", "Een nieuw wachtwoord kiezen"),
    "reset.how": (
        "For the account with the address {email}. It is signed out everywhere.",
        "Voor het account met het adres {email}. Het wordt overal uitgelogd.",
    ),
    "reset.done": (
        "Your password is changed. Sign in with the new one.",
        "Uw wachtwoord is gewijzigd. Log in met het nieuwe.",
    ),
    "link.stale": (
        "This link does not work any more: it was used, or is too old.",
        "Deze link werkt niet meer: hij is gebruikt of te oud.",
    ),
    "link.again": ("Ask for a new one", "Vraag een nieuwe"),
}

"""Texts of agreeing to what another service asks for, and of signing out from there."""

WORDS = {
    "consent.title": ("{client} asks for access", "{client} vraagt om toegang"),
    "consent.who": ("You are signed in as {name} ({email}).", "U bent ingelogd als {name} ({email})."),
    "consent.other": ("Sign in as somebody else", "Inloggen als iemand anders"),
    "consent.may": ("If you agree, {client} may:", "Als u akkoord gaat, mag {client}:"),
    "consent.openid": ("recognise you when you come back", "u herkennen als u terugkomt"),
    "consent.profile": ("know your name", "uw naam weten"),
    "consent.email": ("know your e-mail address", "uw e-mailadres weten"),
    "consent.offline_access": (
        "go on with this when you are not signed in, until you take it back",
        "hiermee doorgaan als u niet bent ingelogd, totdat u het intrekt",
    ),
    "consent.read": ("see what you can see", "zien wat u kunt zien"),
    "consent.write": ("see and change what you can see and change", "zien en veranderen wat u kunt zien en veranderen"),
    "consent.admin": (
        "do everything that you can do (settings and members too)",
        "alles doen wat u kunt doen (ook met instellingen en leden)",
    ),
    "consent.statistics": ("read the statistics that you can read", "de statistieken lezen die u kunt lezen"),
    "consent.platform": (
        "run the whole platform, as far as you may yourself",
        "het hele platform beheren, voor zover u dat zelf mag",
    ),
    "consent.account": ("manage your account", "uw account beheren"),
    "consent.everywhere": ("on all sites", "op alle sites"),
    "consent.there": ("on {sites}", "op {sites}"),
    "consent.to": ("After this you go to {host}.", "Hierna gaat u naar {host}."),
    "consent.own_machine": (
        "After this an app on this device goes on. Agree only if you just opened that app yourself.",
        "Hierna gaat een app op dit apparaat verder. Ga alleen akkoord als u die app net zelf hebt geopend.",
    ),
    "consent.policy": ("What {client} does with this", "Wat {client} hiermee doet"),
    "consent.yes": ("Agree", "Akkoord"),
    "consent.no": ("Cancel", "Annuleren"),
    "end_session.title": ("Sign out", "Uitloggen"),
    "end_session.ask": (
        "A service you signed in to wants to sign you out of Plein as well. You are signed in as {name}.",
        "Een dienst waar u was ingelogd, wil u ook bij Plein uitloggen. U bent ingelogd als {name}.",
    ),
    "end_session.do": ("Sign out", "Uitloggen"),
    "end_session.stay": ("Stay signed in", "Ingelogd blijven"),
    "services.title": ("Apps and services", "Apps en diensten"),
    "services.about": (
        "You let these sign you in with this account. What you take back ends at once.",
        "Deze mogen u met dit account inloggen. Wat u intrekt, stopt meteen.",
    ),
    "services.none": (
        "You have not let any app or service sign you in with this account.",
        "U hebt nog geen app of dienst met dit account laten inloggen.",
    ),
    "services.since": ("Since {day}.", "Sinds {day}."),
    "services.end": ("Take back", "Intrekken"),
    "services.end_label": ("Take back what {client} may do", "Intrekken wat {client} mag"),
    "services.done": ("That is taken back.", "Dat is ingetrokken."),
    "provider.refused": (
        "The service that sent you here asked in a way that is not in order: {why} You have not been sent back to it.",
        "De dienst die u hierheen stuurde, vroeg iets dat niet klopt: {why} U bent niet teruggestuurd.",
    ),
}

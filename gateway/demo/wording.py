"""What people on the demo's sites write besides the regulations: reactions, titles, names of groups and sites, tags.

Promises: plain Dutch, as colleagues write to each other; `{…}` are blanks that are always filled in.
"""

from __future__ import annotations


def listed(text: str) -> tuple[str, ...]:
    """What stands between bars, or on lines of its own."""
    return tuple(text.split("\n" if "\n" in text else "|"))


REMARKS = listed(
    """Dank voor het delen, hier hadden wij net naar gezocht.
Bij ons loopt dit al een paar jaar, ik stuur je de evaluatie.
Kan iemand uitleggen wat hier precies mee bedoeld wordt?
Goed verhaal. Hebben jullie ook cijfers over het gebruik?
Wij zijn hier vorig jaar mee gestopt omdat het te veel tijd kostte.
Mooi! Mag ik dit gebruiken in onze nieuwsbrief?
Volgens mij is dit inmiddels gewijzigd, weet iemand wanneer?
Wie gaat er mee naar de bijeenkomst in Utrecht?
Ik ben het er niet helemaal mee eens: in een kleine gemeente werkt dat anders.
Helder, dank je wel.
Zet je de bijlage er nog even bij?
Bij onze omgevingsdienst denken ze hier heel anders over.
Fijn dat dit nu openbaar staat, dat scheelt een hoop telefoontjes.
Dit sluit aan bij wat we in de werkgroep bespraken.
Is er al iets bekend over de planning?
Daar heb ik wel ervaring mee, bel me gerust.
Een inwoner vroeg dit laatst ook, en ik moest het antwoord schuldig blijven.
Let op: de termijn is verlengd.
Ik mis nog de kant van de uitvoering.
Kunnen we dit niet samen met de buurgemeenten doen?
Top, precies wat we nodig hadden!
De link werkt bij mij niet, ligt dat aan mij?
Het college heeft hier gisteren over besloten, ik plaats het verslag zodra het vastgesteld is.
Wat een gedoe om iets eenvoudigs te regelen, maar het is gelukt.
Juridische Zaken heeft er nog naar gekeken en is akkoord.
Ik neem dit mee naar het afdelingsoverleg van maandag.
Zou je de tweede alinea iets eenvoudiger kunnen schrijven?
Hier moeten we de cliëntenraad bij betrekken.
Wij gebruiken hiervoor een sjabloon, te vinden bij de bestanden van de groep.
Geldt dit ook voor de BES-eilanden?
Interessant, maar hoe zit het met de privacy?
Vergeet de ondernemingsraad niet.
Ik heb er een paar opmerkingen bij gezet, kijk maar wat je ermee doet.
Eens met de vorige spreker.
Daar staat tegenover dat het ons wel 0,4 fte kost.
Ha, dat herken ik!
Zijn er gemeenten die dit al hebben ingevoerd?
Ik sluit graag aan bij het vervolg.
Graag voor vrijdag reageren, dan kan het mee in het voorstel.
Het is een begin, maar we zijn er nog niet.
Heel bruikbaar voor de training van nieuwe collega’s.
Wie is hier op dit moment eigenlijk verantwoordelijk voor?
Dit is precies waarom we met één werkwijze moeten werken.
Even geduld, het antwoord komt eraan.
Waarom is hiervoor gekozen en niet voor de andere variant?
Prima zo, wat mij betreft vaststellen.
Ik vond de vorige versie duidelijker.
Dat klopt, zie ook artikel 3.
Reuze bedankt, coördinatie is zo een stuk eenvoudiger.
Ik heb geprobeerd het na te rekenen en kom op een ander bedrag uit."""
)

ANSWERS = listed(
    """Ja, dat klopt.
Nee, dat is sinds vorig jaar anders.
Goede vraag, ik zoek het uit.
Dank je!
Ik stuur je een bericht.
Dat zou mooi zijn.
Zie het verslag van de vorige keer.
Bij ons is dat precies andersom.
Daar kom ik volgende week op terug.
Dat hangt van de situatie af.
Eens.
Heb je daar een voorbeeld van?
Inderdaad, en dat geldt ook voor de regio.
Prima, dan spreken we dat zo af.
Dat wist ik niet, bedankt."""
)

ON_A_SENTENCE = (
    "> {sentence}\n\nGeldt dit nog?",
    "> {sentence}\n\nHoe leggen jullie dit uit?",
    "> {sentence}\n\nHier lopen wij in de praktijk op vast.",
    "In de tekst staat: ‘{sentence}’ Dat lijkt mij duidelijk genoeg.",
    "Ik citeer: ‘{sentence}’",
)

TITLES = {
    "BLOG": (
        "Wat wij leerden van {topic}",
        "{topic}: een jaar later",
        "Uit de praktijk: {topic}",
        "Waarom {topic} ertoe doet",
        "{topic}",
    ),
    "NEWS": ("Vastgesteld: {topic}", "Nieuw: {topic}", "{topic} gepubliceerd", "Gewijzigd: {topic}"),
    "DISCUSSION": (
        "Hoe gaan we om met {topic}?",
        "Stelling: {topic} moet eenvoudiger",
        "Gevraagd: reacties op {topic}",
    ),
    "QUESTION": (
        "Wie heeft ervaring met {topic}?",
        "Geldt {topic} ook voor ons?",
        "Waar vind ik de toelichting bij {topic}?",
        "Wat verandert er door {topic}?",
    ),
    "STATUS": ("",),
    "PAGE": ("Over {topic}", "Informatie: {topic}", "{topic}"),
    "WIKI": ("Handreiking {topic}", "Veelgestelde vragen: {topic}", "Begrippen bij {topic}"),
    "EVENT": ("Bijeenkomst over {topic}", "Webinar: {topic}", "Werksessie {topic}", "Spreekuur {topic}"),
    "POLL": ("Peiling: {topic}", "Uw mening over {topic}"),
}

POLLS = (
    ("Ja", "Nee", "Weet ik niet"),
    ("Helemaal mee eens", "Mee eens", "Neutraal", "Mee oneens", "Helemaal mee oneens"),
    ("Maandag", "Dinsdag", "Donderdag"),
    ("Op locatie", "Online", "Allebei"),
    ("Elke maand", "Elk kwartaal", "Eén keer per jaar", "Alleen als er iets te melden is"),
    ("Doorgaan zoals nu", "Vereenvoudigen", "Ermee stoppen"),
    ("Variant A: één loket", "Variant B: per wijk", "Variant C: samen met de regio", "Geen van deze"),
)

PLACES = (
    "Raadzaal",
    "Gemeentehuis, kamer 2.14",
    "Bibliotheek, begane grond",
    "Videovergadering",
    "Stadskantoor, vergaderzaal Maas",
    "Dorpshuis De Brink",
    "Jaarbeurs, Utrecht",
    "Wijkcentrum ’t Klooster",
    "",
)

TAGS = listed(
    "privacy|informatiebeveiliging|omgevingswet|jeugd|zorg|wmo|participatie|onderwijs|financiën|subsidie|"
    "belastingen|vergunningen|handhaving|toezicht|milieu|klimaat|energie|water|wonen|ruimte|verkeer|"
    "mobiliteit|landbouw|natuur|cultuur|sport|erfgoed|veiligheid|crisis|politie|justitie|migratie|"
    "arbeid|inkomen|schulden|digitalisering|toegankelijkheid|data|algoritmen|archief|communicatie|inkoop|"
    "personeel|scholing|bestuur|verkiezingen|europa|caribisch-nederland|vrijwilligers|evaluatie"
)

GROUP_KINDS = ("Werkgroep", "Projectteam", "Netwerk", "Kenniskring", "Redactie", "Klankbordgroep", "Team", "Leerkring")
GROUP_SUBJECTS = listed(
    "Omgevingswet|Privacy|Jeugdzorg|Wmo|Dienstverlening|Communicatie|Energietransitie|Informatieveiligheid|"
    "Archief|Inwonersparticipatie|Subsidies|Financiën|Personeel|Inkoop|Handhaving|Mobiliteit|"
    "Cultuur en sport|Klimaatadaptatie|Schuldhulp|Digitale toegankelijkheid|Verkiezingen|Wonen|Veiligheid|"
    "Data en algoritmen|Ondernemingsraad|Trainees"
)

SITE_THEMES = listed(
    "Digitale dienstverlening|Omgevingswet|Jeugd en gezin|Energietransitie|Werk en inkomen|Open overheid|"
    "Toegankelijkheid|Burgerparticipatie|Schuldhulpverlening|Informatiebeveiliging|Erfgoed|Wijkteams|"
    "Mantelzorg|Klimaatadaptatie|Vrijwilligers|Onderwijs|Archieven|Crisisbeheersing|Sport en bewegen|"
    "Datagedreven werken|Laaggeletterdheid|Inkoop"
)
SITE_DESCRIPTION = {
    "municipality": "Voor inwoners, ondernemers en medewerkers van {name}.",
    "theme": "Kennis en ervaring delen over {theme} in en om {place}.",
}

"""Words that passwords are made of when nobody thought about it, in the languages of the people who come here.

Gathered for this list from everyday speech: greetings, seasons, months, days, what protects, what one loves, places,
clubs, names of services. A password is refused where nothing but such words, digits and signs is in it.
"""

from __future__ import annotations

EASY_WORDS = frozenset(
    """
    password passwort wachtwoord wachtwoorden geheim geheimpje secret toegang inloggen login welkom welcome hallo hello
    hoihoi goedemorgen letmein laatmebinnen openen changeme verander veranderen wijzig wijzigen nieuw nieuwe tijdelijk
    temporary default standaard admin administrator beheer beheerder root gast guest test testen tester testing demo
    voorbeeld example gebruiker user master super account mijn mij ikke iemand niemand niets
    winter lente voorjaar zomer herfst najaar spring summer autumn
    januari februari maart april juni juli augustus september oktober november december january february march june
    july august october
    maandag dinsdag woensdag donderdag vrijdag zaterdag zondag monday tuesday wednesday thursday friday saturday sunday
    vandaag morgen gisteren weekend vakantie kerst kerstmis pasen koningsdag sinterklaas verjaardag
    liefde liefje schatje schat lieverd mama papa moeder vader oma opa broer zusje kindje baby iloveyou love sunshine
    princess prinses dragon draak monkey aapje football voetbal baseball shadow schaduw ninja batman superman starwars
    pokemon minecraft tijger leeuw hond hondje poes poesje kat konijn paard bloem bloemen zonnetje regenboog chocola
    koffie thee bier wijn appel banaan oranje rood groen blauw geel zwart
    nederland holland belgie europa amsterdam rotterdam denhaag utrecht eindhoven groningen tilburg almere breda
    nijmegen arnhem haarlem zwolle leiden maastricht friesland zeeland drenthe limburg brabant gelderland overijssel
    flevoland ajax feyenoord psv
    gemeente gemeentehuis provincie ministerie overheid rijk rijksoverheid waterschap ambtenaar kantoor werk werkplek
    afdeling organisatie vereniging stichting school plein square dorp stad
    google gmail hotmail outlook microsoft windows apple iphone samsung facebook instagram linkedin twitter youtube
    qwerty azerty qwertz asdf zxcv abcd
    een twee drie vier vijf zes zeven acht negen tien one two three four five six seven eight nine ten
    the and for van het der den dat dit met voor mijnwachtwoord
    """.split()  # noqa: SIM905 - as a list it would have as many lines as words
)

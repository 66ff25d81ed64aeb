"""Names of people, as they are met in the Netherlands, and slugs of sites.

Promises: pure. Common names come up more often than rare ones. Never the name of somebody in particular.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from random import Random

from gateway.demo.chance import early
from gateway.demo.wording import listed

GIVEN = listed(
    "Jan|Maria|Johannes|Anna|Peter|Linda|Kees|Marijke|Henk|Ingrid|Sander|Femke|Mohammed|Fatima|Daan|"
    "Emma|Bram|Sanne|Thijs|Lotte|Joost|Anouk|Ruben|Noor|Wouter|Eline|Jeroen|Mieke|Pieter|Saskia|Hans|"
    "Annelies|Marcel|Yvonne|Erik|Esther|Willem|Hanneke|Gerrit|Truus|Dirk|Ilse|Maarten|Nienke|Bas|Roos|"
    "Stijn|Fleur|Lars|Iris|Gijs|Merel|Youssef|Aïsha|Ahmed|Samira|Mehmet|Elif|Emre|Zeynep|Karim|Naïma|"
    "Hamza|Yasmine|Ravi|Priya|Rajesh|Shanti|Wei|Mei|Tomasz|Agnieszka|Andrei|Ioana|José|Inés|André|"
    "Renée|Noël|Zoë|Chloé|Jérôme|Hélène|Daniël|Michaël|Raphaël|Gaëlle|Joël|Loïs|Anaïs|Sjoerd|Froukje|"
    "Jelle|Wytske|Douwe|Baukje|Folkert|Tjitske|Siebe|Geertje|Berend|Aaltje|Harm|Jantje|Teun|Riet|Sjef|"
    "Toos|Björn|Jürgen|Søren|Åsa|Orhan|Gülşen|Łukasz|Željka|Dušan|Ngozi|Kwame|Abena|Soraya|Delano|"
    "Ruthmila|Giovanni|Chantal"
)

FAMILY = listed(
    "de Jong|Jansen|de Vries|van den Berg|van Dijk|Bakker|Janssen|Visser|Smit|Meijer|de Boer|Mulder|"
    "de Groot|Bos|Vos|Peters|Hendriks|van Leeuwen|Dekker|Brouwer|de Wit|Dijkstra|Smits|de Graaf|"
    "van der Meer|van der Linden|Kok|Jacobs|de Haan|Vermeulen|van den Heuvel|van der Veen|van den Broek|"
    "de Bruijn|de Bruin|van der Heijden|Schouten|van Beek|Willems|van Vliet|van de Ven|Hoekstra|Maas|"
    "Verhoeven|Koster|van Dam|van der Wal|Prins|Blom|Huisman|Peeters|de Jonge|Kuipers|van Veen|Post|"
    "Kuiper|Veenstra|Kramer|van den Brink|Scholten|van Wijk|Postma|Martens|Vink|de Ruiter|Timmermans|"
    "Groen|Gerritsen|Jonker|van Loon|Boer|van der Velde|Willemsen|Smeets|de Lange|de Vos|Bosch|van Dongen|"
    "Schipper|de Koning|van der Laan|Koning|van der Velden|Driessen|van Doorn|Hermans|Evers|van den Bosch|"
    "van der Meulen|Hofman|Bosman|Wolters|Sanders|van der Horst|Mol|Kuijpers|Molenaar|van de Pol|de Leeuw|"
    "Verbeek|van der Ploeg|ten Hove|ter Horst|op den Akker|in ’t Veld|van ’t Hof|’t Hart|van der Zee|Çelik|"
    "Yılmaz|Öztürk|Şahin|Demir|el Amrani|Ben Ali|Aït Haddou|El Idrissi|Bouzid|Singh|Ramdin|Nguyễn|Wang|"
    "Kowalski|Nowak|Müller|Schröder|Fernández|Gonçalves|Márquez|François|Lefèvre|Kovač|Jørgensen|Dvořák|"
    "Wiśniewski|Pinas|Martina|Tuhuteru|van Oldenborgh-Smit|de Vries-Bakker|van der Heijden-Groen"
)

NOT_DECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "đ": "d"})
SLUG_MAX = 63


def person_name(rng: Random) -> str:
    """A given name and a family name."""
    return f"{GIVEN[early(rng, len(GIVEN), 1.4)]} {FAMILY[early(rng, len(FAMILY), 1.6)]}"


def address(name: str, number: int) -> str:
    """The e-mail address of the person with this number; nobody else has it."""
    given, _, family = name.partition(" ")
    return f"{make_slug(given)}.{make_slug(family).replace('-', '.')}.{number}@example.org"


@lru_cache(maxsize=4096)  # names of people are made of a few hundred parts
def make_slug(name: str) -> str:
    """A name as it stands in addresses: lower-case letters, digits and single hyphens, a letter first."""
    letters = unicodedata.normalize("NFKD", name.casefold().translate(NOT_DECOMPOSED))
    letters = re.sub(r"[’'‘`]", "", "".join(each for each in letters if not unicodedata.combining(each)))
    slug = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")
    if len(slug) < 2 or not slug[0].isalpha():
        slug = f"site-{slug}".strip("-")
    return slug[:SLUG_MAX].strip("-")


def distinct_slugs(names_and_codes: list[tuple[str, str, str]]) -> list[str]:
    """A slug for each (name, region, code): its name's, where that is taken with the region, else with the code."""
    taken: set[str] = set()
    slugs = []
    for name, region, code in names_and_codes:
        base = make_slug(name)[: SLUG_MAX - 8].strip("-")
        tries = (make_slug(name), make_slug(f"{base}-{region}"), make_slug(f"{base}-{code}"))
        slug = next((each for each in tries if each not in taken), None)
        number = 2
        while slug is None or slug in taken:
            slug, number = f"{base}-{number}", number + 1
        taken.add(slug)
        slugs.append(slug)
    return slugs

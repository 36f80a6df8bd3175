"""Nouns that people and databases use for the same things, and peoples of countries. For `ranking` and `literals`.

A loose relation is enough here: the words only lift what would otherwise not be shown, they never make a condition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from sqlchat.language.words import stem

WORD = re.compile(r"\S+")
GROUPS = """
account ledger
activity action event
actor actress cast performer
address addr residence location
age birth born old dob
agreement contract
airplane aircraft plane flight
airport airfield
amount amt sum total value
animal pet
animation cartoon anime
appointment booking reservation visit
area region zone district territory
article item product goods merchandise sku
author writer
average avg mean
balance saldo
ballot vote poll
band group ensemble
battle combat fight war
bill invoice
boat ship vessel
book publication title volume
boss manager supervisor head lead chief
branch office site outlet
brand make label
building property house
bus coach
business company firm corporation enterprise organization organisation org
buy purchase order
buyer customer cust client shopper patron consumer
candidate applicant
capacity seat
car automobile auto vehicle
category cat kind type class genre
cell mobile phone telephone tel
champion winner
chat message conversation
child kid
church parish
citizen resident inhabitant population
city town municipality
class course lecture lesson curriculum subject
coach trainer
code abbreviation symbol
college university school academy institute
comment remark note review feedback
competition contest tournament match championship
concert show performance gig
continent
cost price expense fee charge rate
country nation state land
county district
creator maker founder
crime offence offense
currency ccy
date day time
death dead casualty killed fatality
debt loan credit
delivery shipment shipping freight
department dept division unit section
description desc detail summary
device machine equipment instrument
director filmmaker
discount rebate reduction
disease illness condition diagnosis disorder
doctor physician doc
dog puppy
donation contribution gift
driver chauffeur
earning income revenue sales turnover proceeds
education degree qualification
election vote
email mail
employee staff worker emp personnel
employer company
engine motor
enrollment enrolment registration signup enrolled registered
error fault failure defect issue
exam test examination
factory plant
faculty teacher instructor professor lecturer
farm ranch
father mother parent
film movie picture
finish end completion
first given forename fname
flat apartment room
food dish meal cuisine
friend contact
gamer player
game match
gender sex
grade mark score result
group team
guest visitor tourist
height tall
hire employment recruit
holiday vacation leave
home hometown birthplace origin
horsepower power
hospital clinic
hotel inn lodging
id identifier number no num nbr key
image photo picture
income salary wage pay compensation earning
insurance policy coverage
interval duration length period
inventory stock warehouse
invention patent
job position occupation role profession
journal magazine periodical
judge referee
keyword tag topic
language lang tongue
last surname family lname
launch release
lawsuit case
lawyer attorney
level rank grade tier
line row
link url website homepage
loss defeat
machine computer
maker manufacturer producer vendor supplier
maximum max highest
medication drug medicine prescription
meeting session
member membership
minimum min lowest
model version
month mth
movement transfer
musician singer vocalist artist
name title
nationality country citizenship
newspaper press
number count quantity qty
nurse caregiver
officer official
order purchase sale transaction
owner holder proprietor
paper publication article
park garden
participant attendee
party guest
passenger traveler traveller
password secret
patient case
payment transaction payout remittance
percent pct percentage share ratio
person people individual human
photo picture image
place location venue site
plan schedule timetable
postcode zip postal
president leader
prize award medal
problem issue incident ticket
program programme
project initiative
province state
pupil student learner undergraduate
quarter qtr
question query
rating score review
reader subscriber
recipe dish
record entry log transcript
region province
rent lease
report statement
request inquiry
restaurant diner eatery
river stream
road street route
salesperson seller salesman rep agent
semester term session
series show
sickness disease
skill ability competence
song track tune
speaker presenter
speed velocity
sport game
stadium arena venue
start begin commencement
status state
stop station
store shop retailer outlet
story tale
student stu pupil
subscriber member user
subscription plan
supplier vendor provider
tax vat
teacher instructor tutor
teammate colleague
temperature temp
theater theatre cinema
ticker stock security
ticket pass
town village
trade transaction deal
trip journey travel ride
truck lorry
user account member
vehicle automobile truck
visit trip
volcano mountain peak
warehouse depot storage
weight heavy
worker laborer
year yr
"""


def _related() -> dict[str, frozenset[str]]:
    related: dict[str, set[str]] = {}
    for line in GROUPS.strip().splitlines():
        group = [stem(word) for word in line.split()]
        for word in group:
            related.setdefault(word, set()).update(group)
    return {word: frozenset(others - {word}) for word, others in related.items()}


RELATED: Mapping[str, frozenset[str]] = MappingProxyType(_related())
"""Stem to the stems of related words."""

SPELLINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        key: tuple(sorted(word for word in set(GROUPS.split()) if stem(word) == key))
        for key in {stem(word) for word in GROUPS.split()}
    }
)
"""Stem to the words of the groups that have it."""

VAGUE = frozenset(
    WORD.findall("""
        action amount avg average balance class condition count date day end entry first id identifier interval issue
        key kind last length level line log match max maximum min minimum month movement name nbr no num number order
        period position quantity qty quarter rank record report result role score session sum tier time title total
        type unit value year
    """)
)
"""Words of the groups that stand for too much to be put for one another in a condition."""


def _meaning() -> dict[str, frozenset[str]]:
    meaning: dict[str, set[str]] = {}
    for line in GROUPS.strip().splitlines():
        group = [word for word in line.split() if word not in VAGUE]
        for word in group:
            meaning.setdefault(word, set()).update(group)
    return {word: frozenset(others - {word}) for word, others in meaning.items()}


MEANING: Mapping[str, frozenset[str]] = MappingProxyType(_meaning())
"""Word to words that may be put for it: unlike `RELATED` whole words, since `rating` and `rate` share a stem."""

IRREGULAR = """
american/united_states argentine/argentina british/united_kingdom danish/denmark dutch/netherlands english/england
finnish/finland french/france greek/greece icelandic/iceland irish/ireland norwegian/norway peruvian/peru
philippine/philippines filipino/philippines polish/poland portuguese/portugal scottish/scotland slovak/slovakia
slovene/slovenia spanish/spain swedish/sweden swiss/switzerland thai/thailand turkish/turkey welsh/wales
czech/czech_republic korean/south_korea emirati/united_arab_emirates afghan/afghanistan pakistani/pakistan
america/united_states usa/united_states britain/united_kingdom uk/united_kingdom uae/united_arab_emirates
holland/netherlands
"""
PEOPLES: Mapping[str, str] = MappingProxyType(
    dict(pair.replace("_", " ").split("/") for pair in WORD.findall(IRREGULAR))
)
"""People, and other words for a country, to its name, where no ending tells."""

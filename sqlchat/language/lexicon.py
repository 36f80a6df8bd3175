"""General knowledge of words: what any analyst reads the same way whatever the database. Data only.

Small on purpose: each entry must hold for every database, since a word that stands here is taken as understood.
"""

from __future__ import annotations

from typing import Final


def words(text: str) -> frozenset[str]:
    """The words of `text`, as a set."""
    return frozenset(text.split())


# Words that carry no meaning for the query where they stand between understood ones.
FILLERS: Final = words(
    "the a an all please me us we our you your there is are was were be been being do does did of to its their "
    "his her it they them this these those that which who whom what i as also own has have had having can could "
    "would will shall list show give find get tell display return retrieve fetch see want like need know present "
    "provide name's any some"
)
LEADS: Final = words(
    "please can could would you we i me us show list give find get tell display return retrieve fetch want need "
    "know to see present provide what which who whom whose is are was were the a an all do does did there of "
    "about 's"
    " its their his her our my your both each every"
)
COMMANDS: Final = words("show list give find get tell display return retrieve fetch provide include present select")

# Verbs that say no more than that two things belong together: "orders placed by", "students who own".
VERBS: Final = words(
    "have has had having own owns owned owning make makes made making place places placed placing buy buys bought "
    "buying purchase purchased purchases purchasing produce produces produced producing sell sells sold selling "
    "contain contains contained containing include includes included including belong belongs belonging live "
    "lives lived living use uses used using come comes play plays played playing perform performs performed "
    "performing occur occurs occurred occurring happen happens happened happening take takes took taken taking "
    "offer offers offered offering held hold holds hosting hosted host hosts exist exists raise raised raises "
    "listed recorded registered located situated based receive received receives ordered orders order attend "
    "attended attends visit visited visits create created creates build built builds design designed designs "
    "generate generated generates get gets assigned associated related given shown enrolled enroll participate "
    "participated participates write wrote written writes serve serves served work works worked working teach "
    "teaches taught show shows "
    "showed showing shown released published"
)
PARTICIPLES: Final = words(
    "sold bought made held written built sent paid left born begun taken given won lost seen shown met found set "
    "hurt cut lent spent taught drawn driven flown grown chosen broken spoken stolen frozen thrown got gone done"
)
"""Verbs that say what was done, where they do not end in `ed`."""
WITH: Final = words("with having whose where has have had who that which")
IN: Final = words("in from of for at on to by with within during among inside into")
GROUP: Final = words("per by each every across")
NOT: Final = words(
    "not no without never n't don't doesn't didn't isn't aren't wasn't weren't haven't hasn't lacking "
    "excluding except"
)
FUNCTION: Final = FILLERS | IN | NOT | GROUP | words("and or but nor if than then so while when more less most least")
"""Words that build sentences: a value spelled like one is meant only where its capitals or quotes say so."""

# (words) -> aggregate function
AGGREGATES: Final[dict[tuple[str, ...], str]] = {
    ("average",): "avg", ("mean",): "avg", ("averaged",): "avg", ("avg",): "avg",
    ("total",): "sum", ("sum",): "sum", ("sum", "of"): "sum", ("total", "amount", "of"): "sum", ("combined",): "sum",
    ("overall",): "sum",
    ("maximum",): "max", ("max",): "max", ("minimum",): "min", ("min",): "min",
    ("how", "many"): "count", ("number", "of"): "count", ("total", "number", "of"): "count",
    ("count", "of"): "count", ("total", "count", "of"): "count", ("counts", "of"): "count", ("count",): "count",
    ("numbers", "of"): "count", ("amount", "of"): "amount", ("how", "much"): "much",
}  # fmt: skip

# (words) -> direction: descending puts the largest first
SUPERLATIVES: Final[dict[tuple[str, ...], str]] = {
    ("most",): "desc", ("highest",): "desc", ("largest",): "desc", ("greatest",): "desc", ("biggest",): "desc",
    ("best",): "desc", ("top",): "desc",
    ("lowest",): "asc", ("least",): "asc", ("smallest",): "asc", ("fewest",): "asc", ("bottom",): "asc",
    ("worst",): "asc",
    ("most", "number", "of"): "desc", ("highest", "number", "of"): "desc", ("largest", "number", "of"): "desc",
    ("greatest", "number", "of"): "desc", ("maximum", "number", "of"): "desc", ("most", "amount", "of"): "desc",
    ("least", "number", "of"): "asc", ("smallest", "number", "of"): "asc", ("lowest", "number", "of"): "asc",
    ("fewest", "number", "of"): "asc", ("minimum", "number", "of"): "asc",
    ("largest", "amount", "of"): "desc", ("smallest", "amount", "of"): "asc", ("most", "of"): "desc",
}  # fmt: skip

# An adjective -> (columns it speaks of, the first found wins; direction of its superlative on them)
_AGE = (
    ("age", "asc"), ("birth date", "desc"), ("birthday", "desc"), ("date of birth", "desc"), ("dob", "desc"),
    ("birth year", "desc"), ("year of birth", "desc"), ("birthdate", "desc"),
)  # fmt: skip
_OLD = tuple((name, "desc" if way == "asc" else "asc") for name, way in _AGE)
_LENGTHS = ("length", "duration", "runtime", "minutes", "hours", "days", "nights", "pages", "distance")
_PRICES = ("price", "cost", "rate", "fee", "rent", "fare")
_TIME = "*time*"
"""Stands for the table's one column of dates, or its year."""
ADJECTIVES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "youngest": _AGE, "oldest": (*_OLD, (_TIME, "asc")), "eldest": _OLD,
    "newest": ((_TIME, "desc"),), "latest": ((_TIME, "desc"),), "earliest": ((_TIME, "asc"),),
    "last": ((_TIME, "desc"),), "next": ((_TIME, "asc"),), "first": ((_TIME, "asc"),),
    "heaviest": (("weight", "desc"),), "lightest": (("weight", "asc"),),
    "tallest": (("height", "desc"),),
    "shortest": tuple((name, "asc") for name in ("height", *_LENGTHS)),
    "longest": tuple((name, "desc") for name in _LENGTHS),
    "cheapest": tuple((name, "asc") for name in _PRICES), "priciest": tuple((name, "desc") for name in _PRICES),
    "dearest": tuple((name, "desc") for name in _PRICES), "costliest": tuple((name, "desc") for name in _PRICES),
    "fastest": (("speed", "desc"),), "slowest": (("speed", "asc"),),
}  # fmt: skip
_SIZES = ("size", "area", "sqm", "square meters", "floor area", "surface", "capacity", "population")
SIZES: Final = {
    word: tuple((name, way) for name in _SIZES)
    for word, way in (("biggest", "desc"), ("largest", "desc"), ("smallest", "asc"))
}
"""Adjectives that speak of these columns where no other thing follows them."""
MOST_ADJECTIVES: Final[dict[tuple[str, ...], tuple[tuple[str, str], ...]]] = {
    ("most", "expensive"): tuple((name, "desc") for name in _PRICES),
    ("least", "expensive"): tuple((name, "asc") for name in _PRICES),
    ("most", "recent"): ((_TIME, "desc"),), ("most", "recently"): ((_TIME, "desc"),),
    ("least", "recent"): ((_TIME, "asc"),),
    ("most", "populous"): (("population", "desc"),), ("least", "populous"): (("population", "asc"),),
    ("highest", "paid"): (("salary", "desc"),), ("best", "paid"): (("salary", "desc"),),
}  # fmt: skip
# comparative -> (columns, operator)
COMPARATIVES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "older": (("age", ">"),), "younger": (("age", "<"),), "heavier": (("weight", ">"),),
    "lighter": (("weight", "<"),),
    "taller": (("height", ">"),), "shorter": tuple((name, "<") for name in ("height", *_LENGTHS)),
    "longer": tuple((name, ">") for name in _LENGTHS), "cheaper": tuple((name, "<") for name in _PRICES),
    "pricier": tuple((name, ">") for name in _PRICES), "faster": (("speed", ">"),), "slower": (("speed", "<"),),
}  # fmt: skip

MORE_COMPARATIVES: Final[dict[tuple[str, str], tuple[tuple[str, str], ...]]] = {
    ("more", "expensive"): tuple((name, ">") for name in _PRICES),
    ("less", "expensive"): tuple((name, "<") for name in _PRICES),
}  # fmt: skip

OPERATORS: Final[dict[tuple[str, ...], str]] = {
    ("more", "than"): ">", ("greater", "than"): ">", ("higher", "than"): ">", ("larger", "than"): ">",
    ("bigger", "than"): ">", ("above",): ">", ("over",): ">", ("exceeding",): ">", ("exceeds",): ">", (">",): ">",
    ("exceed",): ">", ("at", "least"): ">=", ("no", "less", "than"): ">=", ("not", "less", "than"): ">=",
    ("no", "fewer", "than"): ">=", (">", "="): ">=", (">=",): ">=", ("minimum", "of"): ">=",
    ("less", "than"): "<", ("lower", "than"): "<", ("smaller", "than"): "<", ("fewer", "than"): "<", ("below",): "<",
    ("under",): "<", ("<",): "<", ("at", "most"): "<=", ("no", "more", "than"): "<=", ("not", "more", "than"): "<=",
    ("up", "to"): "<=", ("<", "="): "<=", ("<=",): "<=", ("no", "greater", "than"): "<=",
    ("equal", "to"): "=", ("equals",): "=", ("exactly",): "=", ("=",): "=", ("equal",): "=",
    ("after",): "after", ("later", "than"): "after", ("before",): "before", ("earlier", "than"): "before",
    ("prior", "to"): "before", ("since",): "since", ("on", "or", "after"): "since", ("starting",): "since",
    ("on", "or", "before"): "until", ("until",): "until", ("between",): "between", ("ranging", "from"): "between",
    ("not", "equal", "to"): "!=", ("other", "than"): "!=", ("!=",): "!=", ("<>",): "!=",
    ("older", "than"): ">", ("younger", "than"): "<", ("heavier", "than"): ">", ("lighter", "than"): "<",
    ("longer", "than"): ">", ("shorter", "than"): "<",
}  # fmt: skip
COMPARISONS: Final = {
    ">": ">", ">=": ">=", "<": "<", "<=": "<=", "=": "=", "!=": "!=",
    "after": ">", "before": "<", "since": ">=", "until": "<=",
}  # fmt: skip
"""Operators as SQL has them, for numbers and years."""
TRAILING: Final[dict[tuple[str, ...], str]] = {
    ("or", "more"): ">=", ("or", "above"): ">=", ("or", "higher"): ">=", ("or", "greater"): ">=",
    ("or", "over"): ">=",
    ("or", "older"): ">=", ("or", "after"): "since", ("or", "later"): "since", ("or", "newer"): "since",
    ("or", "less"): "<=", ("or", "fewer"): "<=", ("or", "below"): "<=", ("or", "under"): "<=", ("or", "lower"): "<=",
    ("or", "younger"): "<=", ("or", "earlier"): "until", ("or", "before"): "until",
}  # fmt: skip
LIKES: Final[dict[tuple[str, ...], str]] = {
    ("containing",): "contains", ("contains",): "contains", ("contain",): "contains", ("includes",): "contains",
    ("include",): "contains", ("including",): "contains", ("that", "contains"): "contains",
    ("with", "the", "word"): "contains",
    ("contains", "the", "word"): "contains", ("containing", "the", "word"): "contains",
    ("starting", "with"): "starts", ("starts", "with"): "starts", ("start", "with"): "starts",
    ("beginning", "with"): "starts", ("begins", "with"): "starts", ("begin", "with"): "starts",
    ("ending", "with"): "ends", ("ends", "with"): "ends", ("end", "with"): "ends", ("ends", "in"): "ends",
    ("contain", "the", "word"): "contains", ("contains", "the", "letter"): "contains",
    ("starts", "with", "the", "letter"): "starts", ("start", "with", "the", "letter"): "starts",
} | {
    (*verb, *article, noun): "contains"
    for verb in (("has",), ("have",), ("had",), ("having",), ("with",), ("contains",), ("containing",), ("includes",))
    for article in ((), ("the",), ("a",))
    for noun in ("substring", "string", "word", "letter", "text", "phrase")
}  # fmt: skip

ORDERED: Final = (
    ("ordered", "by"), ("sorted", "by"), ("order", "by"), ("sort", "by"), ("ordering", "by"), ("sorting", "by"),
    ("ranked", "by"), ("arranged", "by"), ("in", "order", "of"), ("sort", "them", "by"), ("order", "them", "by"),
    ("order", "the", "results", "by"), ("sort", "the", "results", "by"), ("order", "the", "result", "by"),
    ("sorted", "in", "order", "of"), ("listed", "by"), ("order", "of"), ("ordered", "in", "terms", "of"),
)  # fmt: skip
DESCENDING: Final = (
    ("descending", "order", "of"), ("descending", "order"), ("descending",), ("desc",), ("decreasing", "order", "of"),
    ("decreasing", "order"), ("decreasing",), ("highest", "to", "lowest"), ("high", "to", "low"),
    ("largest", "to", "smallest"), ("most", "to", "least"), ("highest", "first"), ("largest", "first"),
    ("reverse", "alphabetical", "order", "of"), ("reverse", "alphabetical", "order"), ("newest", "first"),
    ("reversed", "alphabetical", "order"), ("reverse", "lexicographical", "order"), ("latest", "first"),
    ("reversed", "lexicographical", "order"), ("most", "first"), ("newest", "to", "oldest"),
    ("oldest", "to", "youngest"), ("oldest", "to", "the", "youngest"), ("descending", "alphabetical", "order"),
)  # fmt: skip
ASCENDING: Final = (
    ("ascending", "order", "of"), ("ascending", "order"), ("ascending",), ("asc",), ("increasing", "order", "of"),
    ("increasing", "order"), ("increasing",), ("lowest", "to", "highest"), ("low", "to", "high"),
    ("smallest", "to", "largest"), ("least", "to", "most"), ("lowest", "first"), ("smallest", "first"),
    ("alphabetical", "order", "of"), ("alphabetical", "order"), ("alphabetically",), ("lexicographical", "order"),
    ("lexicographic", "order"), ("alphabetic", "order"), ("oldest", "first"), ("earliest", "first"),
    ("youngest", "to", "oldest"), ("youngest", "to", "the", "oldest"), ("chronological", "order"),
    ("lexicographical", "order", "of"), ("ascending", "alphabetical", "order"), ("least", "first"),
)  # fmt: skip
DISTINCT: Final = words("distinct different unique distinctive various")

# Nouns of one meaning in every database, each group both ways; used only where nothing is named closer.
SYNONYMS: Final = (
    ("customer", "client", "buyer", "shopper"), ("product", "item", "article"), ("country", "nation", "nationality"),
    ("employee", "staff member", "worker"), ("salary", "wage", "pay"), ("sex", "gender"), ("company", "firm"),
    ("film", "movie"), ("price", "cost"), ("phone", "telephone", "phone number"),
    ("email", "e-mail", "mail address", "email address"),
    ("last name", "surname", "family name"), ("first name", "given name", "forename"), ("city", "town"),
    ("category", "kind"), ("zip", "postcode", "zip code", "postal code"), ("name", "title"), ("type", "kind"),
    ("car", "automobile", "vehicle"), ("maker", "manufacturer"), ("singer", "vocalist", "musician"),
    ("teacher", "instructor"), ("course", "class"), ("semester", "term"), ("beds", "bedrooms"),
    ("quantity", "units", "amount", "portions", "pieces", "copies"),
    ("capacity", "number of seats", "seats"), ("location", "place"), ("student", "pupil"), ("doctor", "physician"),
    ("language", "tongue"), ("cartoon", "animation"), ("concert", "show"),
    ("transaction", "deal"), ("salesperson", "sales rep", "sales representative", "seller"),
    ("signup", "sign up", "signed up", "registration"), ("mpg", "miles per gallon"), ("stock", "inventory"),
    ("population", "inhabitants", "people"),
    ("birth", "born"), ("start", "began", "begin", "begun", "started"), ("end", "ended", "finish", "finished"),
    ("death", "died"), ("deadline", "due", "due date"), ("expiry", "expire", "expires", "expired"),
    ("distance", "kilometers", "kilometres", "miles"),
    ("address", "residence"), ("director", "directed by"), ("writer", "written by", "author"),
)  # fmt: skip
# Short forms that names are written with.
ABBREVIATIONS: Final = {
    "fname": ("first", "name"), "lname": ("last", "name"), "mname": ("middle", "name"), "qty": ("quantity",),
    "amt": ("amount",), "dob": ("birth", "date"), "num": ("number",), "nbr": ("number",), "dept": ("department",),
    "addr": ("address",), "desc": ("description",), "yr": ("year",), "tel": ("phone",), "cust": ("customer",),
    "prod": ("product",), "emp": ("employee",), "cat": ("category",), "pct": ("percent",), "avg": ("average",),
    "lat": ("latitude",), "lng": ("longitude",), "lon": ("longitude",), "temp": ("temperature",),
    "max": ("maximum",), "min": ("minimum",), "nm": ("name",), "nme": ("name",), "descr": ("description",),
    "lbl": ("label",),
    "birthdate": ("birth", "date"), "birthday": ("birth", "date"), "ccy": ("currency",), "stu": ("student",),
}  # fmt: skip
REVENUE: Final = words("revenue sales turnover takings income earnings proceeds")
QUANTITY_WORDS: Final = ("quantity", "qty", "units")
PRICE_WORDS: Final = ("unit price", "price", "sold price", "sale price", "selling price", "price sold", "price paid")

COST_WORDS: Final = ("unit cost", "cost price", "purchase price", "purchase cost", "buying price", "cost")

MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sep sept", "october oct", "november nov", "december dec"), 1)
    for name in names.split()
}  # fmt: skip
UNITS: Final = {
    "year": "year", "years": "year", "yearly": "year", "annual": "year", "annually": "year",
    "month": "month", "months": "month", "monthly": "month", "quarter": "quarter", "quarters": "quarter",
    "quarterly": "quarter", "week": "week", "weeks": "week", "weekly": "week", "day": "day", "days": "day",
    "daily": "day", "hour": "hour", "hours": "hour", "hourly": "hour", "weekday": "weekday", "weekdays": "weekday",
}  # fmt: skip
MEASURE_UNITS: Final = words(
    "years year old euros euro dollars dollar eur usd pounds kg kilograms percent pieces units meters metres km "
    "kilometers miles days hours minutes seconds kilos kilo lbs litres liters cm percent"
)
DEMONYMS: Final = {
    "french": "france", "german": "germany", "spanish": "spain", "italian": "italy", "dutch": "netherlands",
    "british": "united kingdom", "japanese": "japan", "chinese": "china", "indian": "india", "canadian": "canada",
    "brazilian": "brazil", "australian": "australia", "american": "united states", "mexican": "mexico",
    "european": "europe", "asian": "asia", "african": "africa", "russian": "russia", "swedish": "sweden",
    "polish": "poland", "portuguese": "portugal", "swiss": "switzerland", "austrian": "austria", "belgian": "belgium",
}  # fmt: skip
COUNTRY_NAMES: Final = (
    ("united states", "usa", "us", "united states of america", "u.s", "america"),
    ("united kingdom", "uk", "great britain", "britain"),
)
SEXES: Final = {
    "female": ("f", "female", "w"), "females": ("f", "female", "w"), "women": ("f", "female", "w"),
    "woman": ("f", "female", "w"), "girls": ("f", "female"), "girl": ("f", "female"),
    "male": ("m", "male"), "males": ("m", "male"), "men": ("m", "male"), "man": ("m", "male"),
    "boys": ("m", "male"), "boy": ("m", "male"),
}  # fmt: skip
"""How a column of sexes may hold them."""
NAME_COLUMNS: Final = (
    "name", "title", "full name", "label", "company", "company name", "display name", "username", "user name",
    "description", "address"
)  # fmt: skip
PEOPLE: Final = words(
    "person people member customer client patient student pupil employee worker teacher instructor tenant "
    "donor user guest visitor driver passenger staff author player trainer agent doctor nurse subscriber "
    "reader buyer shopper seller volunteer applicant candidate participant resident citizen singer actor "
    "director supporter borrower owner renter learner contact cashier clerk courier rider chef cook host coach "
    "captain officer writer editor speaker judge referee dentist lawyer consultant developer engineer designer "
    "salesperson recruiter recipient reviewer organizer waitress actress colleague parent friend artist "
    "musician waiter pilot technician manager"
)
SERVED: Final = words(
    "customer client member guest patient owner tenant subscriber user passenger borrower donor buyer shopper patron "
    "visitor renter rider policyholder account"
)
"""People for whom things are done; of a database's tables mostly one holds them."""
CLIENTS: Final = words("customer client member guest patron buyer shopper subscriber user visitor")
"""Of these the words that may be said of each of them."""
STAFF: Final = words("employee staff worker personnel colleague")
JOINED: Final = words("joined registered signup signed registration member join enrolled since")
"""Words of the day on which people came, whatever the verb of a question."""

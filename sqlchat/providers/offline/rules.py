"""Phrases with a simpler equivalent: data for `rephrasing`, one row each with its own example.

`{money}`, `{person}`, `{closed}`, `{quantity}` and `{row}` stand for names that the schema has (see `nouns`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlchat.language import lexicon

NUMBER = r"(\d+|one|two|three|four|five|six|seven|eight|nine|ten)"
BE = r"(is|are|was|were|gets?|got|being)"
WORD = r"""(?!["'])(\.?\w[\w.@-]*)"""
TAKES_UNTIL = r"does it take (?:until|to|before|for) ((?:a|an|the) )?(\w+) (?:is|are|to be|gets?) (\w+ed|paid)"
WHO_HAVE = r"((who|that|which) )?((have|has|had) )?"
DOING = (
    r"(?:do|did|does|have|had|has|were|was|is|are|there|we|you|make|made|get|got|receive|received"
    r"|sell|sold|take|took)"
)
ASKED = {
    "long": "length", "tall": "height", "heavy": "weight", "high": "height", "big": "area", "large": "area",
    "expensive": "price",
}  # fmt: skip


def _write_adjective(found: re.Match[str]) -> str:
    return f"what is the {ASKED[found.group(1).lower()]} of"


WAYS = {
    "cheapest": "lowest price", "least expensive": "lowest price", "priciest": "highest price",
    "most expensive": "highest price", "dearest": "highest price", "oldest": "highest age", "youngest": "lowest age",
    "longest": "highest duration", "shortest": "lowest duration", "heaviest": "highest weight",
    "lightest": "lowest weight", "tallest": "highest height", "best paid": "highest salary",
    "highest paid": "highest salary", "best rated": "highest rating", "worst rated": "lowest rating",
}  # fmt: skip
ADJECTIVE = rf"(?P<adjective>{'|'.join(WAYS)})"


def _write_average(found: re.Match[str]) -> str:
    """`city with the lowest average price` for `cheapest city on average`."""
    way, noun = WAYS[found["adjective"].lower()].split()
    of = f" of {found['of']}" if "of" in found.re.groupindex else ""
    return f"which {found['group']} has the {way} average {noun}{of}"


MONEY_VERBS = (
    r"(raised?|raises|spent|spends?|earned|earns?|made|makes?|paid|pays?|brought in|brings? in|collected|collects?"
    r"|received|receives?|took in|takes? in|gave|given|gives?|donated?|donates|contributed?|contributes|generated?"
    r"|generates|billed|charged|invoiced)"
)
STATES = lexicon.words("open outstanding unresolved pending ongoing active")
MONEY_VERB = re.compile(MONEY_VERBS, re.IGNORECASE)
EXISTING = re.compile(
    r"(?i)^(?:is|are|was|were|do we have|did we have|have we got) (?:there )?(?:an?|any|some) (?=\w)(?!.*\bwhich\b)"
)
"""`are there any pending orders` is answered by their number."""
NO_ONE = re.compile(r"(?i)\bno[- ]one\b(?! of)")
YES_NO = re.compile(r"(?i)^(?:did|does|do|is|are|was|were|has|have|had)(?:n't)? (?!you have|we have|there )")
"""`did we sell any yachts`: answered by whether there are any where it asks for `any` or `ever`."""
UNIVERSAL = re.compile(r"(?i)^(?:is|are|was|were|do|does|did|have|has|had) (?:all|every|each|both|most)\b")
"""`are all members paid up`: a yes or no about each of them."""
COMPARED = re.compile(r"(?i)^(.+): (\w+) (?:or|vs\.?|versus) (\w+)(?=\W*$)")
"""`average fee: cash or card?` compares two groups, though it can be read as one of both."""
RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str], str], ...] = tuple(
    (re.compile(rf"(?i)(?<![\w{{])(?:{pattern})(?![\w}}])"), put, example)
    for pattern, put, example in (
        (r"(along|together) with (its|their|his|her|the)", "and", "names along with their ages"),
        (r"shared by", "with", "cities shared by at least two members"),
        (r"for which there (is|are)", "with", "cities for which there are at least 2 members"),
        (rf"{BE} (used|seen|taken|made|chosen|picked|named|bought|played) (the )?most( often)?",
         "that is the most frequent", "which city is named most"),
        (r"across( all)?( the)?", "of all", "the average age across all members"),
        (r"(the )?most (common|frequent)", "the most frequent", "the most common city"),
        (r"how many (\w+) (it|they) (has|have|makes?|produces?|owns?)", r"the number of \1", "how many cars it has"),
        (r"how much (do|does|did) (.+?) weigh", r"what is the weight of \2", "how much does the youngest dog weigh"),
        (r"how (long|tall|heavy|high|big|expensive) (is|are|was|were)", _write_adjective, "how long is the river"),
        (r"((that|which|who) )?(is|are|was|were|has been|have been|gets?)( (used|seen|taken|made|named))?( the)? "
         r"(most (often|frequently|commonly)|(most|greatest|highest|largest) number of times)",
         "that is the most frequent", "which payment is used the most often"),
        (r"(registered|recorded|listed|existing|enrolled)(?= \w)", "", "the number of registered members"),
        (r"(in|for|of|from) each( one)?(?=[,.?]|$)", "", "the cities and the number of members in each"),
        (rf"on average,? how many (\w+) {TAKES_UNTIL}", r"average \1 between \3 and \4",
         "on average, how many days does it take until a loan is returned"),
        (r"(minutes|hours|days|weeks) to (?:\w+) (?:a|an|the|each) (.+?)(?= per | by | for | in |\W*$)",
         r"duration in \1 of \2",
         "average days to return a book"),
        (r"^how many (minutes|hours|days|weeks) (between|from) (.+?),? on average(?=\W*$)", r"average \1 \2 \3",
         "how many days from order to delivery, on average"),
 (r"(month|quarter|week|day) of (\d{4}) (had|has|saw) (.+?)(?=\W*$)", r"\1 \3 \4 in \2",
         "which month of 2024 had the most loans"),
 (r"^(?:each|every) (\w+)'s share of (.+?)(?=\W*$)", r"share of \2 per \1", "each city's share of members"),
        (r"(.+?) (per|by) (\w+) as (?:a )?(?:percentage|percent|share) of (?:the )?total", r"share of \1 per \3",
         "loans per city as a percentage of the total"),
        (r"^(which|what) (\w+) (?:do|did) (?:we|you|they) \w+ to(?=\W*$)", r"which destination \2",
         "which cities do we ship to"),
        (r"((?:mon|tues|wednes|thurs|fri|satur|sun)day|weekend) (?!(?:and|or|in|to|per|by|of|that|which|for) )(\w+)",
         r"\2 on a \1", "weekend loans by city"),
        (rf"(starting|starts?|beginning|begins?) with (?:an? )?(?:the )?(?:letters? |words? )?{WORD}",
         r'\1 with "\2"', "members whose name starts with an A"),
        (rf"(ending|ends?) (?:with|in) (?:an? )?(?:the )?(?:letters? |words? )?{WORD}", r'\1 with "\2"',
         "members whose mail ends with .com"),
        (r"(?:(?:that|which|did|do|does) )*nobody (\w+)(?: in| for| on| at| to| with)?(?=\W*$)", r"without \1",
         "which rooms did nobody book"),
        (rf"^(?:(?:what|which)(?: is| are| was| were) )?(?:the )?{ADJECTIVE} (?P<group>\w[\w ]*?),? "
         r"on average(?=\W*$)", _write_average, "what is the cheapest city on average"),
        (rf"^(?:what|which) (?P<group>\w[\w ]*?)(?: is| are| was| were) (?:the )?{ADJECTIVE},? on average(?=\W*$)",
         _write_average, "which city is the most expensive on average"),
        (r"do (?:we|you|they) (?:currently )?(?:sell|produce|publish|teach|host|lease|rent out|look after)(?=\W*$)",
         "are there", "how many books do we sell"),
        (r"whose (\w+) (?:was|were|got|has been|have been) (\w+) (?:more than once|at least twice)",
         r"with more than 1 \1 that were \2", "members whose loans were prolonged more than once"),
        (rf"(more than|fewer than|less than|at least|at most|exactly) {NUMBER} (\w+) (\w+s)(?=\W*$)",
         r"\1 \2 \4 that are \3", "members with more than 2 prolonged loans"),
        (r"past due", "overdue", "invoices that are past due"),
        (r"how many (minutes|hours|days|weeks|months) (?:do|does|did) (?:the |an )?average (\w+) (?:take|last|run)",
         r"average duration in \1 of \2", "how many days does the average loan last"),
        (r"how long (?:is|was|does) (?:an |the )?average (\w+)( take| last)?", r"what is the average duration of \1",
         "how long is the average loan"),
        (r"^(.+), how many(?=\W*$)", r"how many \1", "loans from Bonn, how many?"),
        (r"(do|did) (we|you|they) (manage|own|run|offer|stock|employ|keep|carry|serve|operate)(?! \w+ing)",
         "are there", "how many rooms do we manage"),
        (r"(give|gave|given|hand|handed|take|taken|sell|sold|send|sent|lend|lent) (out|away|off)", r"\1",
         "how many books did we give out"),
        (r"(?:the )?(?:most )?money (spent|paid|raised|made|earned|taken)", "total {money}",
         "members by money spent"),
        (r"how much (money )?(?:did|do|have) we (?:take|took|taken|sell|sold|make|made|earn|earned)( in)?",
         "total {money}", "how much did we take"),
        (r"(which|what) (hour|day|month|week|weekday|year)( of the (day|year))? (is|was) (the )?busiest( ever)?",
         r"\2 with the most {row}", "which hour is the busiest"),
        (r"(what|which) (is|was) the busiest (hour|day|month|week|weekday|year)( ever)?", r"\3 with the most {row}",
         "what was the busiest day ever"),
        (r"(from|in|at|to|with|for|on|by)(?=\W*$)", "", "which author do we have the most books from"),
        (r"(go|goes|went|gone) to(?= \w)", "are", "share of loans that goes to students"),
        (r"count the number of", "the number of", "count the number of members"),
        (r"(old|oldest) to (the )?(young|youngest)", "oldest to youngest", "by age from old to young"),
        (r"so far|to date|in total|altogether|in all|right now|at the moment|on (record|file)|as of today|in general"
         r"|these days|with us|in our (records|books|system|data|database)", "", "how many members in total"),
        (r"which ones?(?=\W*$)|where(?=\W*$)", "", "Is there a city without members? Which one?"),
        (r"how long (is|are|was|were|does|do|did) (.+?)( take| last| stay| run)?,? (on average|usually|typically)",
         r"what is the average duration of \2", "how long does a visit take on average"),
        (r"compare (the )?(.+?) (for|of|in|by|at|from) (.+?) (and|with|to|against) (.+?)(?=\W*$)",
         r"\2 \3 \4 versus \6", "compare the number of loans in Bonn and Rome"),
        (r"(?:how much|what)(?: money)? (?:did|do|have) we (?:pay|spend|paid|spent)(?: in total)?(?: for| on)?"
         r"(?: all)?(?: the)?(?= \w)",
         "total {cost} of", "what did we pay for all the repairs"),
        (r"(how much|what)( money)? (did|do|does|have|has|had|was|were|is) "
         r"(?!we (?:pay|spend|paid|spent)\b)(.*?) ?(been )?" + MONEY_VERBS + r"( on)?",
         r"total {money} of \4", "how much did members in Bonn pay"),
        (rf"{WHO_HAVE}{MONEY_VERBS}( us)? (the )?most( money)?(?= in |[.?]|$)",
         "with the highest total {money}", "which member paid the most"),
        (r"(the )?(total )?(revenue|turnover|income|earnings|money|takings|proceeds)", "total {money}",
         "revenue by city"),
        (r"(people|persons|person|anyone|everyone|somebody|someone)", "{person}", "how many people joined in 2024"),
        (r"((who|that|which) )?(are|is|were|was) (still )?(" + "|".join(sorted(STATES)) + ")",
         "not {closed}", "which loans are still open"),
        (r"how (did|has|have|do|does) (the )?(.+?) (develop|developed|change|changed|evolve|evolved|grow|grown)"
         r"( over (the )?(time|years|months))?(?=\W*$| in )", r"\3 per month", "how did loans develop over time"),
        (r"(?<=than )(?:a|an|one) (hour|minute|day)", r"1 \1s", "loans longer than a day"),
        (r"(best|top)[- ]selling (\w+)", r"\2 with the highest total {quantity}", "best selling book"),
        (r"un(\w+ed|paid|sold|sent|read) (\w+)", r"\2 not \1", "unpaid loans"),
        (r"(\w+) nothing", r"never \1", "members who borrow nothing"),
        (r"only(?=\W*$)", "", "loans by month, 2024 only"),
        (rf"((?:on|in) )?(?:which|what) (weekday|day|month|year|quarter|week)( of the year)?(?: {DOING})*"
         r"( the)? (most|fewest|least) (\w+)", r"which \2 has the \5 \6",
         "in which month did we get the most loans"),
    )
)  # fmt: skip
"""(phrase, what to put for it, an example). Each is tried only if the question is not read without it."""

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


def _rank_times(found: re.Match[str]) -> str:
    unit, year, deed = found.groups()
    return f"which {unit} has the most {deed}" + (f" in {year}" if year else "")


def _write_adjective(found: re.Match[str]) -> str:
    return f"what is the {ASKED[found.group(1).lower()]} of"


MONEY = r"(revenue|turnover|income|earnings|money|takings|proceeds)"
LIVING = r"(live|lives|lived|are living|stay|stayed|slept|sleep)"
LIVES = re.compile(rf"(?i)\b(?:people|persons) {LIVING} (?:in|at|on|with|here)\b")
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
LASTING = re.compile(
    r"(?i)(?: (?:that |which )?(?:lasts|lasting) (?=(?:[a-z]+ ){0,3}[\d.]+ )|(?<=s) (?:that |which )?last "
    r"(?=(?:for|between|over|under|(?:more|less|longer) than|at least|at most|exactly|up to) ))"
    r"(?=.*\b(?:minutes|hours|days)\b)"
)
"""`tours lasting 2 hours`, `loans that last over 5 days`: no last loan is meant."""
WITH_TEXT = r"""(?:with|in(?= (?:an? |the )?(?:letters? |words? |["'.]|\w\b|(?-i:[a-z]{2,3}\b))))"""
"""What `ends` is followed by of a text: it may end in a place as well."""
STARTING = r"(?:starts?|starting|begins?|beginning|departs?|departing|leaves?|leaving)"
ENDING = r"(?:ends?|ending|arrives?|arriving|finish(?:es|ing)?)"
PLACED = rf"(?!(?:the |a )?(?:\d|{'|'.join(lexicon.MONTHS)}))\w"
"""What comes next is no period."""
RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str], str], ...] = tuple(
    (re.compile(rf"(?i)(?<![\w{{])(?:{pattern})(?![\w}}])"), put, example)
    for pattern, put, example in (
        (r"(along|together) with (its|their|his|her|the)", "and", "names along with their ages"),
        (r"shared by", "with", "cities shared by at least two members"),
        (r"for which there (is|are)", "with", "cities for which there are at least 2 members"),
        (r"(two|2) or more", "at least 2", "members with two or more loans"),
        (rf"{BE} (used|seen|taken|made|chosen|picked|named|bought|played) (the )?most( often)?",
         "that is the most frequent", "which city is named most"),
        (r"(looks?|looked|looking) after", "has", "which agent looks after the most members"),
        (r"(what|which) (part|share|percentage|proportion|fraction) of (.+?) (is|are|was|were|comes?|came)(?= \w)",
         r"share of \3 that are", "what part of the loans comes from Bonn"),
        (r"(.+?) as (a )?(share|percentage|part|proportion) of (all )?(the )?(\w+)", r"share of \6 that are \1",
         "scrap as a share of all loans"),
        (r"(a|per) month(?= \w|\W*$)", "monthly", "houses under 1500 a month"),
        (r"across( all)?( the)?", "of all", "the average age across all members"),
        (r"(the )?most (common|frequent)", "the most frequent", "the most common city"),
        (r"how old (is|are|was|were)", "what is the age of", "how old is the youngest member"),
        (r"how many (\w+) (it|they) (has|have|makes?|produces?|owns?)", r"the number of \1", "how many cars it has"),
        (r"how much (do|does|did) (.+?) weigh", r"what is the weight of \2", "how much does the youngest dog weigh"),
        (r"(the )?(\w+) (\w+ed) in (\d{4}) (?:vs\.?|versus|compared (?:to|with)|against) (?:in )?(\d{4})",
         r"\2 \3 by year for \4 and \5", "loans returned in 2023 vs 2024"),
        (r"under(?= [a-z]+\W*$)", "in", "loans under review"),
        (rf"^(?:the |our )?{NUMBER} (\w+) with the (highest|most|largest)(?= number of )", r"top \1 \2 with the \3",
         "the 3 members with the highest number of loans"),
        (rf"(?:(?:that|which) )?{STARTING} (?:in|at|from)(?= {PLACED})", "from",
         "how many trips start in Bonn"),
        (rf"(?:(?:that|which) )?{ENDING} (?:in|at)(?= {PLACED})", "to",
         "how many trips end in Bonn"),
        (r"how (long|tall|heavy|high|big|expensive) (is|are|was|were)", _write_adjective, "how long is the river"),
        (r"((that|which|who) )?(is|are|was|were|has been|have been|gets?)( (used|seen|taken|made|named))?( the)? "
         r"(most (often|frequently|commonly)|(most|greatest|highest|largest) number of times)",
         "that is the most frequent", "which payment is used the most often"),
        (r"(based on|by doing a (left |inner )?join( from)?|based on joining) the [\w, ]+? tables?(?=[,.?]|$)", "",
         "members without loans, based on joining the two tables"),
        (r"(registered|recorded|listed|existing|enrolled)(?= \w)", "", "the number of registered members"),
        (r"(in|for|of|from) each( one)?(?=[,.?]|$)", "", "the cities and the number of members in each"),
        (rf"on average,? how many (\w+) {TAKES_UNTIL}", r"average \1 between \3 and \4",
         "on average, how many days does it take until a loan is returned"),
        (rf"how (?:many (\w+)|long) {TAKES_UNTIL}( on average)?", r"average days between \3 and \4",
         "how many days does it take until a loan is returned"),
        (r"(minutes|hours|days|weeks) to (?:\w+) (?:a|an|the|each) (.+?)(?= per | by | for | in |\W*$)",
         r"duration in \1 of \2",
         "average days to return a book"),
 (r"(month|quarter|week|day) of (\d{4}) (had|has|saw) (.+?)(?=\W*$)", r"\1 \3 \4 in \2",
         "which month of 2024 had the most loans"),
 (r"^(?:each|every) (\w+)'s share of (.+?)(?=\W*$)", r"share of \2 per \1", "each city's share of members"),
        (r"(\w+) share of (\w+) (per|by) (\w+)(?=\W*$)", r"share of \1 \2 per \4", "overdue share of loans per city"),
        (r"(.+?) (per|by) (\w+) as (?:a )?(?:percentage|percent|share) of (?:the )?total", r"share of \1 per \3",
         "loans per city as a percentage of the total"),
        (r"^(which|what) (\w+) (?:do|did) (?:we|you|they) \w+ to(?=\W*$)", r"which destination \2",
         "which cities do we ship to"),
        (r"((?:mon|tues|wednes|thurs|fri|satur|sun)day|weekend) (?!(?:and|or|in|to|per|by|of|that|which|for) )(\w+)",
         r"\2 on a \1", "weekend loans by city"),
        (rf"(starting|starts?|beginning|begins?) with (?:an? )?(?:the )?(?:letters? |words? )?{WORD}",
         r'\1 with "\2"', "members whose name starts with an A"),
        (r"(names?|titles?|descriptions?|e-?mails?|address|subjects?|labels?|comments?|notes?|texts?) "
         r"((?:do|does|did) not |don't |doesn't )?(containing|contains?|including|includes?) (?:the )?"
         rf"(?:words? |texts? )?{WORD}(?=\W*$)", r'\1 \2\3 "\4"',
         "books whose title does not contain sea"),
        (rf"(ending|ends?) {WITH_TEXT} (?:an? )?(?:the )?(?:letters? |words? )?{WORD}", r'\1 with "\2"',
         "members whose mail ends with .com"),
        (rf"(?:with|having|have|has|containing|contains?|including|includes?) (?:the )?(?:words? |texts? )?{WORD} "
         r"in (?:the|its|their|his|her) (names?|titles?|descriptions?|e-?mails?|address|addresses|subjects?|labels?"
         r"|comments?|notes?|texts?)", r'with "\1" in the \2', "books that have sea in their title"),
        (r"(?:(?:that|which|did|do|does) )*nobody (\w+)(?: in| for| on| at| to| with)?(?=\W*$)", r"without \1",
         "which rooms did nobody book"),
        (r"do (?:we|you|they) (?:currently )?(?:sell|produce|publish|teach|host|lease|rent out|look after)(?=\W*$)",
         "are there", "how many books do we sell"),
        (r"whose (\w+) (?:was|were|got|has been|have been) (\w+) (?:more than once|at least twice)",
         r"with more than 1 \1 that were \2", "members whose loans were prolonged more than once"),
        (rf"(more than|fewer than|less than|at least|at most|exactly) {NUMBER} (\w+) (\w+s)(?=\W*$)",
         r"\1 \2 \4 that are \3", "members with more than 2 prolonged loans"),
        (r"past due", "overdue", "invoices that are past due"),
        (r"(?<=where )(?:the )?(\w+) (?:is|are|was|were|has been|have been) "
         r"(not )?(\w+ed|seen|paid|sent|sold|met|kept)(?=\W*$)",
         r"\2\1 \3", "loans where the fee was not paid"),
        (r"^in how many (\w+) (was|were|is|are|did|do|does|has|have|had)(?= \w)", r"how many \1 where",
         "in how many loans was the fee higher than the price"),
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
        (r"how much( money)? (?:is|are|was|were) (?:still )?(?:unpaid|outstanding|owed|open|due)",
         "total {money} not {closed}", "how much money is still unpaid"),
        (r"(which|what) (hour|day|month|week|weekday|year)( of the (day|year))? (is|was) (the )?busiest( ever)?",
         r"\2 with the most {row}", "which hour is the busiest"),
        (r"(what|which) (is|was) the busiest (hour|day|month|week|weekday|year)( ever)?", r"\3 with the most {row}",
         "what was the busiest day ever"),
        (r"(from|in|at|to|with|for|on|by)(?=\W*$)", "", "which author do we have the most books from"),
        (r"(go|goes|went|gone) to(?= \w)", "are", "share of loans that goes to students"),
        (r"how( did)? (the )?(.+?) (changed?|developed?) (?:from|between) (.+?) (?:to|and) (.+?)(?=\W*$)",
         r"\3 in \5 versus \6", "how did loans change from 2023 to 2024"),
        (r"(the )?(total |average )?(\w+) \(([^()]+ (?:minus|divided by) [^()]+)\)", r"\2\4",
         "total discount (list price minus price paid)"),
        (r"(go|goes|went|gone|going) through", "had", "books that went through repairs"),
        (r"^(?:which|what) (.+?) (?:does|do|did) (.+?) (?:belong|come|live|lie) (?:to|from|in|on)(?=\W*$)",
         r"what is the \1 of \2", "which chain does the shop Rye belong to"),
        (r"^(?:which|what) (.+?) (?:is|are|was|were) (.+?) (?:located|situated) (?:in|on|at)(?=\W*$)",
         r"what is the \1 of \2", "which town is the shop Rye located in"),
        (r"(\w+),? (?:except|excluding)(?: for)? (?:the |those )?(?:\1 )?(?:having|with|that have|that had|who have)",
         r"\1 without", "members except for members having a loan in 2024"),
        (r"count the number of", "the number of", "count the number of members"),
        (r"(from|in) (the )?(database|data|dataset|table|file|system)", "", "how many members in the database"),
        (r"(old|oldest) to (the )?(young|youngest)", "oldest to youngest", "by age from old to young"),
        (r"(young|youngest) to (the )?(old|oldest)", "youngest to oldest", "by age from young to old"),
        (r"in (square )?(kilo)?(meters?|metres?|miles?|feet|kilograms?|pounds|dollars|euros)"
         r"|in (km|kg|minutes|hours)", "",
         "rivers longer than 100 in kilometers"),
        (r"greater|larger|bigger|higher", "more", "a greater weight than 10"),
        (r"at all(?! (of|the)\b)", "", "members with no loans at all"),
        (r"(since|from) (the )?(start|beginning) of(?= \w)", "since", "loans since the start of March 2024"),
        (r"(the )?(kind|sort|type)s? of (\w+)", r"\3 type", "the most frequent kind of member"),
        (r"rank (?:the )?(\w+) by (average |total )?(.+?),? (?:best|highest|largest|biggest|most) first",
         r"\2\3 of each \1 from highest to lowest", "rank the cities by average age, highest first"),
        (r"(?:(?:on|in) )?(?:which|what) (weekday|day|month|year|quarter|week)(?: of (\d{4}))? (?:do|did|does) "
         r"(?:we|you|they|people) (\w+) (?:the )?most(?: often)?(?=\W*$)", _rank_times,
         "in which month did we visit most often"),
        (r"so far|to date|in total|altogether|in all|right now|at the moment|on (record|file)|as of today|in general"
         r"|these days|with us|in our (records|books|system|data|database)", "", "how many members in total"),
        (r"which ones?(?=\W*$)|where(?=\W*$)", "", "Is there a city without members? Which one?"),
        (rf"(with|having|have|has|had|made|got)? ?{NUMBER} (times )?or more",
         r"with at least \2 \3", "members with 8 or more loans"),
        (rf"{NUMBER} (times )?or (fewer|less)", r"at most \1 \2",
         "members with 3 or fewer loans"),
        (r"(what|how much) (does|do|did) (.+?) cost", r"what is the cost of \3", "how much does the book cost"),
        (r"compare (the )?(.+?) (for|of|in|by|at|from) (.+?) (and|with|to|against) (.+?)(?=\W*$)",
         r"\2 \3 \4 versus \6", "compare the number of loans in Bonn and Rome"),
        (r"(?:how much|what)(?: money)? (?:did|do|have) we (?:pay|spend|paid|spent)(?: in total)?(?: for| on)?"
         r"(?: all)?(?: the)?(?= \w)",
         "total {cost} of", "what did we pay for all the repairs"),
        (r"(how much|what)( money)? (did|do|does|have|has|had|was|were|is) "
         r"(?!we (?:pay|spend|paid|spent)\b)(.*?) ?(been )?" + MONEY_VERBS + r"( on)?",
         r"total {money} of \4", "how much did members in Bonn pay"),
        (r"how much( money)? (was|were|is|has been|did we)( \w+)?", r"total {money}", "how much was paid by card"),
        (rf"{WHO_HAVE}{MONEY_VERBS}( us)? (the )?most( money)?(?= in |[.?]|$)",
         "with the highest total {money}", "which member paid the most"),
        (rf"{WHO_HAVE}{MONEY_VERBS}( us)? (the )?least( money)?(?= in |[.?]|$)",
         "with the lowest total {money}", "which member paid the least"),
        (rf"average {MONEY}", "average {money}", "average revenue by city"),
        (rf"(?<!average )(the )?(?<!average )(total )?{MONEY}", "total {money}",
         "revenue by city"),
        (rf"how many (people|persons) {LIVING}(?= (?:in|at|on|with|here|together)\b)", "total {heads} of",
         "how many people live in Bonn"),
        (r"^who(?= )", "which {person}", "Who has never borrowed a book?"),
        (r"(people|persons|person|anyone|everyone|somebody|someone)", "{person}", "how many people joined in 2024"),
        (rf"({'|'.join(sorted(STATES))}) (\w+)", r"\2 not {closed}", "open loans"),
        (r"((who|that|which) )?(are|is|were|was) (still )?(" + "|".join(sorted(STATES)) + ")",
         "not {closed}", "which loans are still open"),
        (r"(the )?(trend|development|evolution|growth) (of|in) (.+?)( over (the )?time| over the years)?(?=\W*$)",
         r"\4 per month", "trend of loans over time"),
        (r"how (did|has|have|do|does) (the )?(.+?) (develop|developed|change|changed|evolve|evolved|grow|grown)"
         r"( over (the )?(time|years|months))?(?=\W*$| in )", r"\3 per month", "how did loans develop over time"),
        (r"over time(?=\W*$)", "per month", "loans over time"),
        (r"busiest (?!hour|day|month|week|year)(\w+)", r"most frequent \1", "busiest city"),
        (r"(?:a|one) week(?=\W|$)", "7 days", "loans longer than a week"),
        (r"(?<=than )(?:a|an|one) (hour|minute|day)", r"1 \1s", "loans longer than a day"),
        (r"(go|goes|went|leave|leaves|left|happen|take place)( out| off)?(?=\W*$)", "",
         "when did the van last go out"),
        (r"(best|top)[- ]selling (\w+)", r"\2 with the highest total {quantity}", "best selling book"),
        (r"(worst|least)[- ]selling (\w+)", r"\2 with the lowest total {quantity}", "worst selling book"),
        (r"un(\w+ed|paid|sold|sent|read) (\w+)", r"\2 not \1", "unpaid loans"),
        (r"^(\w+) (?:vs\.?|versus|or) (\w+)(?=\W*$)", r"number of {row} \1 versus \2", "cash vs card"),
        (r"(\w+) nothing", r"never \1", "members who borrow nothing"),
        (r"only(?=\W*$)", "", "loans by month, 2024 only"),
        (rf"((?:on|in) )?(?:which|what) (weekday|day|month|year|quarter|week)( of the year)?(?: {DOING})*"
         r"( the)? (most|fewest|least) (\w+)", r"which \2 has the \5 \6",
         "in which month did we get the most loans"),
    )
)  # fmt: skip
"""(phrase, what to put for it, an example). Each is tried only if the question is not read without it."""

"""Writes what people type in passing as plain English: `whats`, `w/o`, `% of`, greetings and asides.

`search` tries the plain wording of a question that is not read as it stands.
"""

from __future__ import annotations

import re

from sqlchat.language.lexicon import PEOPLE

QUOTED = re.compile(r"(\"[^\"]*\"|'[^']*'(?!\w)|“[^”]*”|`[^`]*`)")
"""Texts that stay as they are."""
PLAIN = tuple(
    (re.compile(rf"(?i){pattern}"), put)
    for pattern, put in (
        (r"^\W*(?:hi|hello|hey|hiya|good morning)\b(?: there| all| team)?[\s,.!]+", ""),
        (r"\b(what|who|where|when|how)[’']?s\b", r"\1 is"),
        (r"\b(?:pls|plz|please|thx|thanks|thank you|cheers|asap)\b[\s,.!]*", ""),
        (r"(?<!\w)w/o\b", "without"),
        (r"(?<!\w)w/(?=\s)", "with"),
        (r"(?<!\w)(?:#|no\.|nr\.?|num\.?) of\b", "number of"),
        (r"(?<![\w\d])(what )?% of\b", r"\1share of"),
        (r"\bwhat percent of\b", "what share of"),
        (r"^(?:can|could|would|will) (?:you|i|we|someone|somebody) (?:just |quickly )?"
         r"(?:get|have|see|know|tell me|find out)"
         r"(?= (?:a|the|all|how|which|who|what)\b)", "show"),
        (r"^i(?:[’']?d like| would like| need| want)(?: to (?:see|know|have))?\b", "show"),
        (r"^(?:(?:a )?quick (?:one|question|check)|(?:just )?(?:curious|wondering|checking)|question)"
         r"\s*[:,–—-]+\s*", ""),
        (r"\bthe (\w+) column\b", r"\1"),
        (r"(\b(?:share|part|proportion|fraction)\b.*?),? (?:in|as) (?:an? )?(?:percent|per cent|percentage|%)"
         r"(?=\W*$)", r"\1"),
        (r"\bbreak(?: down)? (.+?)(?: down)? by (?=\w)", r"\1 by "),
        (r"\bcarr(?:y|ies|ied|ying) (the|an?) ", r"have \1 "),
        (r"\band also\b", "and"),
        (r"\bhow many (\w+) (?:long|tall|high|wide|deep|heavy) (?=(?:is|are|was|were)\b)", r"how many \1 "),
        (r"^(how many) of (?:the|our) (\w+) (?=(?:starts?|begins?|ends?|depart|leave|arrive)\b)", r"\1 \2 "),
        (r"^(?:do (?:you|we) know|any idea|tell me|(?:please )?(?:say|state)) (?=(?:how|which|who|what)\b)", ""),
        (r"\bhave (?:we|you|they) (?:got|had)\b", "are there"),
        (r"\b(?:we|you|they)(?:[’']ve| have)? got\b", "there are"),
        (r"\b(?:got|gets?) (?=\w+(?:ed|en)\b)", "were "),
        (r",? (?:on file|on the books|on our books|in the books|over here|here|so far|up to now|until now|by now)"
         r"(?=\W*$)", ""),
        (r"\s*[,;.–—-]\s*(?:(?:and )?(?:list|show|name) (?:them|it)|who (?:is|was) (?:it|that|she|he)|"
         r"who are they|which (?:one|ones)(?: (?:is it|are they))?|"
         r"(?:what|how much|how many) (?:is|was) (?:it|that))(?=\W*$)", ""),
        (r"\bover (?=all (?:the )?\w)", "of "),
        (r"\s+[-–—]+\s+(?=(?:by|per|for each|grouped|count|number|total|sorted|only)\b)", " "),
        (r"^on average,?\s+(how (?:many|much|long) .+?)(?=\W*$)", r"\1 on average"),
        (r"^(?:list |show |the )?(.+?)\s*[,:;–—-]\s*(?:(?:and |but )?(?:just|only) the (?:number|count)|how many"
         r"(?: are there)?)(?=\W*$)", r"how many \1"),
        (r"^(?:please )?add up (?:all )?(?:of )?(?:the )?(?:total )?", "total "),
        (r"^what (?:do|does|did) (?:all )?(?:the )?(.+?) (?:add up|come|amount) to(?: in total| altogether)?(?=\W*$)",
         r"total \1"),
        (r"\b(highest|lowest|biggest|largest|smallest|longest|shortest) (\w+(?: \w+)?) on average(?=\W*$)",
         r"\1 average \2"),
        (r"^in (which|what) (\w+) (?:is|are|was|were) (?:the )?(\w+) (?:the )?(highest|lowest|longest|shortest) "
         r"on average(?=\W*$)", r"\1 \2 has the \4 average \3"),
        (r"\b(?:that |which |who )?(?:have|has|had|with) (?:nobody|no[- ]?one)(?: assigned| named| listed)? as "
         r"(?:an? |the |their )?(?=\w)", "without "),
        (r"\b(?:ended up|ended (?:in|with) an?|ended as|turned out(?: to be)?|came (?:back|out))"
         r"(?= (?!(?:in|on|at|to|from|by|before|after|since|during|until|last|this|next|within|today"
         r"|yesterday)\b)\w)", "were"),
        (r"^who (?:are|were) (?:all )?(?:of )?(our|my|your) (\w+s)(?=\W*$)", r"list \1 \2"),
        (r"\bby (\w+) count(?=\W*$)", r"by number of \1s"),
        (r"\b(nobody|no[- ]one) (?:has|have|had) (?:ever )?(?=\w+(?:ed|en|ght|ld|de|ne)\b)", "nobody "),
        (r"^(how many \w+) (?:do|did|have) (?:we|you|they) (?:hand|give|send|carry|put|bring|take|handed|given|sent)"
         r" (?:out|in|on|over)(?= (?:in|on|during|this|last|per|each|by|since|between|altogether)\b|\W*$)",
         r"\1 were there"),
        (r"^on average,? how many (\w+) (?:are|were|take part|took part|come|came|go|went|work|worked) "
         r"(?:in|on|at|to|for) (?:an?|each|every) (.+?)(?=\W*$)", r"average number of \1 per \2"),
        (r"\bwith no (\w+) (?:recorded|given|noted|entered|set|assigned|named|listed|specified)\b", r"without \1"),
        (r"\b(?:that |which |who |whom )?we have no (.+?) for(?=\W*$)", r"without \1"),
        (r"\b(which|what|busiest) day of the week\b", r"\1 weekday"),
        (r"\bhour of (?:the )?day\b", "hour"),
        (r"\b(is|was) our busiest\b", r"\1 the busiest"),
        (r"^(.+?)\s*[-–—,:;]\s*count(?: them)? (by|per) ", r"number of \1 \2 "),
        (r"\b(?:registered|signed up) with us\b", "there"),
        (rf"\b({'|'.join(f'{noun}s' for noun in sorted(PEOPLE))}|people|children) (under|over) (\d{{1,2}})"
         r"(?= (?:who|that|in|from|with|at|by|on)\b|\W*$)", r"\1 aged \2 \3"),
        (r"\s+(?:for|to|in|of|on|at) anything(?: at all| yet)?(?=\W*$)", ""),
        (r"\b(?:because of|due to|on account of)\b", "for"),
        (r"\b(?:who |that |which )?(?:have |has |had )?never (?:placed|made|had|got|taken|took|given|gave|filed|"
         r"written|wrote|submitted) (?:an?|any|one|a single)\b", "without"),
        (r"\bwithout (?:an? )?order\b(?! \w)", "without orders"),
    )
)  # fmt: skip
"""Patterns and what stands for each."""
MARKS = re.compile(r"\s+(?=[,.?!])|(?<=\s)\s+|^\s+|\s+$")


def write_plainly(question: str) -> str:
    """The question in plain words; itself if there is nothing to change.

    >>> write_plainly("hi, whats the avg fee w/o tax pls?")
    'what is the avg fee without tax?'
    """
    parts = QUOTED.split(question)
    for at in range(0, len(parts), 2):
        for pattern, put in PLAIN:
            parts[at] = pattern.sub(put, parts[at])
    plain = "".join(parts)
    return MARKS.sub("", plain) if plain != question else question

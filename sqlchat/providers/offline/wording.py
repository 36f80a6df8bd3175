"""Writes what people type in passing as plain English: `whats`, `w/o`, `% of`, greetings and asides.

`search` tries the plain wording of a question that is not read as it stands.
"""

from __future__ import annotations

import re

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
        (r"^(?:do (?:you|we) know|any idea|tell me) (?=(?:how|which|who|what)\b)", ""),
        (r"\bhave (?:we|you|they) (?:got|had)\b", "are there"),
        (r"\b(?:we|you|they)(?:[’']ve| have)? got\b", "there are"),
        (r"\b(?:got|gets?) (?=\w+(?:ed|en)\b)", "were "),
        (r",? (?:on file|on the books|on our books|in the books|over here|here|so far|up to now|until now|by now)"
         r"(?=\W*$)", ""),
        (r"\s*[,;.–—-]\s*(?:(?:and )?(?:list|show|name) (?:them|it)|who (?:is|was) (?:it|that|she|he)|"
         r"who are they|which (?:one|ones)(?: (?:is it|are they))?|"
         r"(?:what|how much|how many) (?:is|was) (?:it|that))(?=\W*$)", ""),
        (r"\s+[-–—]+\s+(?=(?:by|per|for each|grouped|count|number|total|sorted|only)\b)", " "),
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

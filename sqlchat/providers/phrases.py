"""Phrases with which models withdraw a statement, correct it, label it as a draft, decline or ask back."""

from __future__ import annotations

import re

WITHDRAWN = re.compile(
    r"(?<!if )\b(?:that|this|it|the above|which|above|first (?:one|query|version))(?:['’]s| is| was| would be)?"
    r" (?:also |still |clearly |plainly )?(?:wrong|incorrect|a mistake|not (?:right|correct|what)|mistaken|invalid)\b"
    r"(?! (?:only|if|unless|when)\b)"
    r"|\b(?:ignore|disregard|discard|scrap|scratch|strike) (?:that|this|the|it|my)\b"
    r"|\bi (?:withdraw|made a mistake|misread|misunderstood)"
    r"|\b(?:do not|don['’]t) (?:use|run) (?:that|this|it)\b"
    r"|\A[ \t`]*[❌✗✘]"
    r"|\b(?:das|dies) (?:ist|war) (?:falsch|nicht richtig)|c['’]est faux|est[áa] mal|è sbagliato|это неверно",
    re.IGNORECASE,
)
"""Said behind a statement, it withdraws it."""
CORRECTING = re.compile(
    r"\b(?:wait|hmm+|oops|actually|correct(?:ed|ion|ing)?|fix(?:ed|ing)?|revis(?:ed|ion|ing)|mistake|wrong|incorrect"
    r"|on second thought|let me (?:re|try|fix|correct|think)\w*|instead of|should (?:be|have been)|misread"
    r"|the right (?:query|sql|one|statement|answer)|final (?:answer|query|sql|version|statement)|sorry"
    r"|improved|that counts|not (?:quite )?right|updated? (?:answer|query|sql|version)|use the following"
    r"|discarded|superseded|replaced by"
    r"|korrig\w*|korrekt\w*|falsch\w*|stimmt nicht|corr[ie]g\w*|correc\w*|faux|erreur|tromp\w*|incorrecto|sbagliat\w*"
    r"|errado|poprawion\w*|исправ\w*|неверно|ошибка)\b|\b(?:edit|better|updated?|no)[:,]|更正|修正|纠正|不对|错了|有误|错误|訂正|間違",
    re.IGNORECASE,
)
"""Said between two statements, it withdraws the first."""
DRAFT_LABEL = re.compile(
    r"\b(?:(?:first|initial|1st) (?:attempt|draft|try|idea|version|thought)|draft|thoughts?|wrong|incorrect|discarded"
    r"|rejected|previous(?:ly)?|originally|initially|at first|earlier|i (?:considered|tried|began with|had))\b"
    r"[^\n.?!]{0,40}$"
    r"|(?:\A|\n)\W*(?:thinking|reasoning|analysis|critique)\b[^\n.?!]{0,40}\Z",
    re.IGNORECASE,
)
"""Said before a statement, it shows it as a draft."""
CONDITIONAL = re.compile(
    r"\b(?:if|in case|should you|to (?:verify|check|inspect)|you (?:can|could|may|might) also"
    r"|for (?:reference|comparison|example|instance))\b[^\n.?!]{0,90}\Z",
    re.IGNORECASE,
)
"""Said before a statement, it offers it for another question."""
COUNTEREXAMPLE = re.compile(
    r"\b(?:(?:common|typical|frequent|possible|another) (?:mistake|error)|(?:do not|don['’]t|never|avoid) (?:write"
    r"|use|run|do|using|writing|running)|would be (?:wrong|incorrect|a mistake)|tempted to|not to be confused with)"
    r"\b[^\n.?!]{0,60}\Z|\b(?:instead of|rather than|unlike)\W{0,9}\Z"
    r"|(?:\A|\n)\W*(?:incorrect|wrong|bad|not this)(?: \w+)?\W*\Z|\n\W*?[❌✗✘][^\n]{0,60}\Z",
    re.IGNORECASE,
)
"""Said before a statement, it shows it as one that is not to be run."""
DECLINES = re.compile(
    r"[?？؟]\s*\Z|[?？؟][\"'”)]?\s|¿|\b(?:sorry|apologi[sz]e|cannot|can['’]?t|can not|unable|not able|won['’]?t"
    r"|impossible|insufficient|refuse|decline|ambiguous|unclear|absent|lacks?|missing|beyond|outside|out of scope"
    r"|unavailable|i only|against (?:my|the)|polic(?:y|ies)|restricted|will not|would (?:require|need)"
    r"|only (?:\w+ ){0,2}questions|(?:please|could you|kindly) (?:clarify|let me know|specify|tell|provide"
    r"|rephrase|say|confirm)|need (?:more|further|to know)|which of (?:these|the following)|not about"
    r"|(?:no|not|none|nothing|neither|\w+n['’]t)\b[^.!?\n]{0,80}?\b(?:tables?|columns?|data\w*|information|schema"
    r"|fields?|records?|present|available|stored|exist|contain|included?|part of|possible|allowed|enough|answer\w*"
    r"|something|help|record\w*|track(?:ed)?|related|relevant|know|sure)|unfortunately|regrettably|unrelated|n/a"
    r"|lo siento|ning[uú]n\w*|no (?:puedo|hay|es|existe|se|tengo)|por favor|não|desculp\w*|désolée?|veuillez"
    r"|ne \w+ pas|aucune?|purtroppo|per favore|non|nessun\w*|leider|bitte|nicht|keine?|helaas|niet|geen|niestety"
    r"|nie|prosz[ęe]|не|нет|извините|beklager|ikke|venligst|tyvärr|inte|vänligen|üzgün\w*|lütfen|\w+am(?:am|ıyorum)"
    r"|bohužel|sajnos|anteeksi|không|xin lỗi|tidak|maaf)\b|[\u0370-\u1fff\u3040-\ud7ff]{2}[^a-zA-Z]*\Z",
    re.IGNORECASE,
)
"""Words with which a model declines, or asks back, in a text that holds no SQL; and other scripts than Latin, in
which models announce no SQL."""

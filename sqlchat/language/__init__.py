"""The words of questions and of schemas, the same for the prompt's schema linking and for the built-in engine.

`words` splits and stems; `tokens` cuts a question into words, numbers, dates and signs; `lexicon` holds words of
general knowledge and `thesaurus` nouns that mean the same; `likeness` tells how near others are in meaning;
`derivations` finds verbs and nouns of one root; `detection` tells other languages from English.
Imports nothing of ours.
"""

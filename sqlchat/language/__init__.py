"""Words of questions and of schemas, the same for the prompt's schema linking and for the built-in engine.

`words` cuts and stems, `thesaurus` knows which nouns mean the same. Imports nothing of ours.
"""

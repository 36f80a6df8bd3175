"""The built-in engine: a deterministic semantic parser from questions in English to SQL. No model, no network.

The way of a question, one module a step: `words` cuts it into tokens; `linker` finds the catalog's tables, columns
and values in them and `lexicon` the words of general knowledge; `grammar` reads the linked items into a `query`
(with `outputs`, `phrases`, `relations`, `conditions` and their parts, over the state in `reader`), which `finish`
completes; `joins` knows the ways between tables; `build` writes sqlglot expressions (with `scope`, `restrict`
and `empty`) and `explain` the sentence beside them; `engine` is the provider. Whatever is not understood, word for
word, ends in a QuestionError: it never guesses.
Only `engine` is for callers outside.
"""

"""Measures how well questions are answered: pairs of a question and its gold SQL, through the real pipeline.

`cases.py` reads the pairs. `run.py` asks, compares and makes an `Outcome` for each. `gold.py` finds the names and the
order of a gold SQL, and `recall.py` the names that a prompt lacks. `replay.py` is a provider of stored answers;
`report.py` sums up. Imports from `runtime` and all below it; only `cli` may import it.
"""

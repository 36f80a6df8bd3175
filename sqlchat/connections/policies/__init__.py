"""What a connection lets be read: `policy.py` judges SQL by what `reading.py` finds, `policed.py` enforces."""

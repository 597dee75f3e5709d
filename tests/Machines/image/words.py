"""Counts the words of its standard input, says so as JSON, and ends with their number."""
import collections
import json
import sys

words = collections.Counter(sys.stdin.read().split())
print(json.dumps(dict(sorted(words.items()))))
print("counted", file=sys.stderr)
sys.exit(sum(words.values()))

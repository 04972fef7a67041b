"""Pickles texts, and reads pickles of texts, as Python does.

Takes a JSON list on standard input and prints one: with `dumps PROTOCOL [pure]`, of texts, their pickles in
base64; with `loads`, of pickles in base64, their texts. `pure` takes the pickler that is written in Python.
"""

import base64
import json
import pickle
import sys


def main():
    operation, *rest = sys.argv[1:]
    given = json.load(sys.stdin)
    if operation == "loads":
        results = [pickle.loads(base64.b64decode(text)) for text in given]
    else:
        dumps = pickle._dumps if "pure" in rest else pickle.dumps
        pickled = [dumps(text, int(rest[0])) for text in given]
        results = [base64.b64encode(one).decode() for one in pickled]
    json.dump(results, sys.stdout)


main()

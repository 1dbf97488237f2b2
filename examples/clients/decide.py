"""Decides, lists and watches by Python's standard library: `decide.py http://127.0.0.1:7411`."""

import json
import sys
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

BASE = sys.argv[1]


def get(path, **fields):
    with urlopen(f"{BASE}{path}?{urlencode(fields)}", timeout=5) as answer:
        return json.load(answer)


print("decision:", get("/v1/decide", subject="3", action="start_chat", resource="2")["reason"])
print("list:", *get("/v1/reach", subject="5", action="start_chat")["users"])

question = {"subject": "3", "action": "start_chat", "resource": "4"}
headers = {"Content-Type": "application/x-ndjson"}
with urlopen(Request(f"{BASE}/v1/watch", json.dumps(question).encode(), headers), timeout=60) as answers:
    # The stream goes on for as long as it is read; a real program would not stop at the first answer.
    print("watch:", json.loads(answers.readline())["reason"])

try:
    get("/v1/decide", subject="3", action="no_such_action")
except HTTPError as error:
    print("error:", error.code, json.load(error)["error"]["at"])

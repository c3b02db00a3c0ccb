"""The dashboard and the alert rules ask for what /metrics has."""
import json
import re

import pytest
from lib import TREE

FOLDER = TREE / "systemd" / "monitoring"
NAME = re.compile(r"\b((?:maildesk|process)_[a-z_]+)\b")
# Prometheus's own, and a job's name
OTHERS = {"maildesk"}


def expressions():
    dashboard = json.loads((FOLDER / "grafana.json").read_text())
    for panel in dashboard["panels"]:
        assert panel["targets"], panel["title"]
        yield from ((panel["title"], t["expr"]) for t in panel["targets"])
    rules = (FOLDER / "alerts.yml").read_text()
    for rule in re.split(r"\n +- alert: ", rules)[1:]:
        title = rule.split("\n")[0]
        yield title, re.search(r"expr: (.*?)\n +(?:for|labels):", rule, re.S)[1]


@pytest.mark.engine("sqlite")  # which has one more: the size of its file
def test_every_figure_is_there(desk):
    answer = desk.api().request("GET", "//metrics")
    assert answer.status == 200
    declared = dict(re.findall(r"^# TYPE (\S+) (\S+)$", answer.body.decode(), re.M))
    asked = list(expressions())
    assert len(asked) > 30
    for title, expression in asked:
        assert expression.count("(") == expression.count(")"), (title, expression)
        for name in NAME.findall(expression):
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            assert name in declared or declared.get(base) == "histogram", (title, name)
            if "rate(" in expression and base == name:
                assert declared[name] == "counter", (title, name)

"""Reports read back by those who know their formats: (file, line, name) of each finding, failures included."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory


class Seen(NamedTuple):
    path: str
    line: int
    name: str


def lines(text: str, label: str = "") -> list[Seen]:
    """``path:line:column: name …``: concise."""
    found = re.findall(rf"^(.+?):(\d+):\d+: ([a-z0-9-]+)(?= {label})", text, re.M)
    return [Seen(path, int(line), name) for path, line, name in found]


def grouped(text: str) -> list[Seen]:
    """Text, by file and group: each line of the file that a group names; those that it leaves out are not here."""
    found, path = [], ""
    for line in text.splitlines():
        group = re.match(r"  (?:error|warning|note) +([a-z0-9-]+) \[[a-z ]+\] (?:.*, )?lines? ([\d, …]+)$", line)
        if group is not None:
            found += [Seen(path, int(number), group[1]) for number in re.findall(r"\d+", group[2])]
        elif not line.startswith(" "):
            path = line.partition(":")[0]
    return found


def labelled(text: str) -> list[Seen]:
    """``path:line:column: name [safe] …``: full."""
    return lines(text, r"\[(?:safe|unsafe|display|note)\]")


def report(text: str) -> list[Seen]:
    return [seen for file in json.loads(text)["files"] for seen in _file(file)]


def report_lines(text: str) -> list[Seen]:
    return [seen for line in text.splitlines() for seen in _file(json.loads(line))]


def _file(file: dict[str, Any]) -> list[Seen]:
    return [Seen(file["path"], f["line"], f["name"]) for f in file["findings"]]


def sarif(text: str) -> list[Seen]:
    (run,) = json.loads(text)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    found = []
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert rules[result["ruleIndex"]] == result["ruleId"]
        path = unquote(place["artifactLocation"]["uri"], errors="replace")
        found.append(Seen(path, place["region"]["startLine"], result["ruleId"]))
    return found


def rdjson(text: str) -> list[Seen]:
    """As reviewdog reads it: a name that its protocol does not have is an error."""
    result = rdf()()
    json_format.Parse(text, result)
    return [Seen(d.location.path, d.location.range.start.line, d.code.value) for d in result.diagnostics]


def gitlab(text: str) -> list[Seen]:
    issues = json.loads(text)
    return [Seen(i["location"]["path"], i["location"]["lines"]["begin"], i["check_name"]) for i in issues]


def github(text: str) -> list[Seen]:
    """As the runner of GitHub Actions reads it."""
    found = []
    for line in text.splitlines():
        command, properties, _ = workflow_command(line)
        assert command in ("error", "warning", "notice")
        name = properties["title"].split(" ")[0]
        found.append(Seen(properties["file"], int(properties["line"]), name))
    return found


def workflow_command(line: str) -> tuple[str, dict[str, str], str]:
    """Command, properties and message: split first, unescaped then, as the runner does it."""
    assert line.startswith("::"), line
    head, _, message = line[2:].partition("::")
    command, _, rest = head.partition(" ")
    pairs = (item.partition("=") for item in rest.split(","))
    return command, {key: _unescaped(value, properties=True) for key, _, value in pairs}, _unescaped(message)


def _unescaped(text: str, *, properties: bool = False) -> str:
    codes = {"%0D": "\r", "%0A": "\n", "%25": "%"} | ({"%3A": ":", "%2C": ","} if properties else {})
    return re.sub("|".join(codes), lambda match: codes[match.group()], text)


def junit(path: Path) -> list[Seen]:
    from junitparser import Error, Failure, JUnitXml

    found = []
    for suite in JUnitXml.fromfile(str(path)):
        cases = list(suite)
        bad = [case for case in cases if any(isinstance(r, Failure) for r in case.result)]
        errors = [case for case in cases if any(isinstance(r, Error) for r in case.result)]
        assert (suite.tests, suite.failures, suite.errors) == (len(cases), len(bad), len(errors))
        for case in cases:
            if ":" in case.name:
                name, line, _ = case.name.split(":")
                found.append(Seen(suite.name, int(line), name))
            else:
                assert not case.result
    return found


@cache
def rdf() -> Any:
    """The message that reviewdog reads, from the names and types of its protocol."""
    fields = {
        "DiagnosticResult": "diagnostics:1:*Diagnostic source:2:Source severity:3:Severity",
        "Diagnostic": "message:1:string location:2:Location severity:3:Severity source:4:Source code:5:Code "
        "suggestions:6:*Suggestion original_output:7:string",
        "Location": "path:2:string range:3:Range",
        "Range": "start:1:Position end:2:Position",
        "Position": "line:1:int32 column:2:int32",
        "Suggestion": "range:1:Range text:2:string",
        "Source": "name:1:string url:2:string",
        "Code": "value:1:string url:2:string",
    }
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="rdf.proto", package="rdf", syntax="proto3")
    severity = file.enum_type.add(name="Severity")
    for number, name in enumerate(("UNKNOWN_SEVERITY", "ERROR", "WARNING", "INFO")):
        severity.value.add(name=name, number=number)
    for message, spec in fields.items():
        target = file.message_type.add(name=message)
        for item in spec.split():
            name, number, kind = item.split(":")
            repeated, kind = kind.startswith("*"), kind.lstrip("*")
            field = target.field.add(name=name, number=int(number))
            field.label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            if kind in ("string", "int32"):
                field.type = kinds.TYPE_STRING if kind == "string" else kinds.TYPE_INT32
            else:
                field.type = kinds.TYPE_ENUM if kind == "Severity" else kinds.TYPE_MESSAGE
                field.type_name = f".rdf.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)  # type: ignore[no-untyped-call]
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("rdf.DiagnosticResult"))

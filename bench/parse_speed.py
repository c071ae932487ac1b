"""Parsing speed against google.protobuf's text_format, as ratios taken in one run.

    python bench/parse_speed.py [FILE…]

Files default to the corpus nets of 100 to 160 KB. text_format needs a schema that knows every
field, so it gets descriptors made from each file itself: every name it uses, as the types it is
used with. Each figure is the median of interleaved runs, in CPU time, the garbage collector as
the programs ship it. "cold" empties the line memo before each file, "warm" has seen the file.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from caffefix.syntax.parse import forget_lines, parse
from caffefix.syntax.scalars import integer_value, is_string, number_value
from caffefix.syntax.source import Source
from caffefix.syntax.tree import Node

RUNS = 9
Field = descriptor_pb2.FieldDescriptorProto


def schema(text: str) -> Any:
    """A message class that takes the text."""
    file = descriptor_pb2.FileDescriptorProto(name="bench.proto", package="bench", syntax="proto2")
    messages: dict[str, Any] = {}
    enum = file.enum_type.add(name="Words")
    words: dict[str, int] = {}

    def message(name: str) -> Any:
        if name not in messages:
            messages[name] = (file.message_type.add(name=name), {})
        return messages[name]

    stack: list[tuple[Node, str]] = [(parse(text).root, "Root")]
    message("Root")
    while stack:
        node, owner = stack.pop()
        proto, fields = message(owner)
        for child in node.children():
            for element in child.children() if child.is_list else [child]:
                kind = "M_" + element.name if element.is_message else ""
                if element.is_message:
                    stack.append((element, kind))
                    message(kind)
                field = fields.get(element.name)
                if field is None:
                    field = proto.field.add(name=element.name, number=len(fields) + 1, label=Field.LABEL_REPEATED)
                    fields[element.name] = field
                value = element.value
                if element.is_message:
                    field.type, field.type_name = Field.TYPE_MESSAGE, f".bench.{kind}"
                elif is_string(value):
                    field.type = Field.TYPE_BYTES
                elif value in ("true", "false"):
                    field.type = Field.TYPE_BOOL
                elif number_value(value) is None:
                    field.type, field.type_name = Field.TYPE_ENUM, ".bench.Words"
                    words.setdefault(value, len(words))
                elif field.type != Field.TYPE_DOUBLE:
                    field.type = Field.TYPE_INT64 if integer_value(value) is not None else Field.TYPE_DOUBLE
    for word, number in (words or {"NONE": 0}).items():
        enum.value.add(name=word, number=number)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("bench.Root"))


def cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> int:
    shared = Path(os.environ.get("CAFFEFIX_SHARED", Path(__file__).resolve().parent.parent.parent / "shared"))
    paths = [Path(name) for name in sys.argv[1:]]
    if not paths:
        sized = [p for p in (shared / "corpus").rglob("*.prototxt") if 100_000 <= p.stat().st_size <= 160_000]
        paths = sorted(sized)[:8]
    if not paths:
        print("no files: name some, or set CAFFEFIX_SHARED", file=sys.stderr)
        return 2
    print(f"{'file':<58}{'KB':>6}{'text_format':>13}{'cold':>8}{'warm':>8}   (ms; × = times its speed)")
    ratios: list[tuple[float, float]] = []
    for path in paths:
        text = Source(str(path), path.read_bytes()).text
        kind = schema(text)

        def cold(text: str = text) -> None:
            forget_lines()
            parse(text)

        plain: list[float] = []
        colds: list[float] = []
        warms: list[float] = []
        for _ in range(RUNS):
            plain.append(cpu(lambda t=text, k=kind: text_format.Parse(t, k())))
            colds.append(cpu(cold))
            warms.append(cpu(lambda t=text: parse(t)))
        base, c, w = (statistics.median(x) for x in (plain, colds, warms))
        ratios.append((base / c, base / w))
        print(f"{path.parent.name + '/' + path.name:<58}{len(text) / 1000:>6.0f}{base * 1e3:>13.1f}"
              f"{base / c:>7.1f}×{base / w:>7.1f}×")  # fmt: skip
    cold_ratio = statistics.median(r[0] for r in ratios)
    warm_ratio = statistics.median(r[1] for r in ratios)
    print(f"{'median':<58}{'':>19}{cold_ratio:>7.1f}×{warm_ratio:>7.1f}×")
    return 0


if __name__ == "__main__":
    sys.exit(main())

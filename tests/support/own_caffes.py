"""Repositories with a Caffe of their own, made up: its caffe.proto and its sources, as those of an epoch were."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from caffefix.caffe import registry
from caffefix.caffe.registry import Form, Kind
from caffefix.caffe.schema import Variant, load
from tests.support.protos import protoc

USUAL = "src/caffe/proto/caffe.proto"
# Caffes that show what there was when: only layers in layers, only V1's, V2's without Input, and all of it.
EPOCHS = {"2013": "bvlc-v0.1", "2014": "bvlc-v0.999", "2015": "bvlc-rc2", "today": "bvlc", "fork": "nvidia"}


@cache
def proto_of(fork: str) -> str:
    """A caffe.proto with the fields and enums that a fork has."""
    schema, bit = load(), load().bit(fork)
    enums = {
        name: found
        for name, values in schema.enums.items()
        if (found := {v: n for v, entries in values.items() for n, forks in entries if forks & bit})
    }
    messages = {
        name: found
        for name, fields in schema.messages.items()
        if (found := {f: v for f, variants in fields.items() for v in variants if v.forks & bit})
    }
    inner: dict[str, list[str]] = {}
    for name in (*messages, *enums):
        inner.setdefault(name.rpartition(".")[0], []).append(name)

    def written(name: str) -> str:
        last = name.rpartition(".")[2]
        if name in enums:
            values = sorted(enums[name].items(), key=lambda item: item[1])
            twice = len({number for _, number in values}) < len(values)
            alias = "option allow_alias = true; " if twice else ""
            return f"enum {last} {{ {alias}{' '.join(f'{v} = {n};' for v, n in values)} }}"
        parts = [written(other) for other in inner.get(name, ())]
        parts += [_field(field, variant) for field, variant in messages[name].items()]
        return f"message {last} {{\n" + "".join(f"  {part}\n" for part in parts) + "}"

    return 'syntax = "proto2";\npackage caffe;\n' + "\n".join(map(written, inner[""])) + "\n"


def _field(name: str, variant: Variant) -> str:
    default = variant.default
    if default and variant.kind == "string":
        default = f'"{default}"'
    options = f" [default = {default}]" if default and variant.label != "repeated" else ""
    return f"{variant.label} {variant.type or variant.kind} {name} = {variant.number}{options};"


@cache
def sources_of(fork: str) -> dict[str, str]:
    """C++ that registers what a fork registers, as that was written in its time, by path."""
    bit = load().bit(fork)

    def names(kind: Kind, form: Form = Form.STRING) -> list[str]:
        return list(registry.names(kind, bit, form))

    v0 = "".join(
        f'  if (type == "{name}") {{ return new X<Dtype>(param); }}\n' for name in names(Kind.LAYER, Form.V0)
    )
    v1 = "".join(f"  case LayerParameter_LayerType_{n}:\n" for n in names(Kind.LAYER, Form.ENUM))
    fillers = "".join(f'  if (type == "{n}") return new F(param);\n' for n in names(Kind.FILLER))
    policies = "".join(f'  if (lr_policy == "{n}") {{\n' for n in names(Kind.POLICY))
    return {
        "src/caffe/layer_factory.cpp": f"""
            // REGISTER_LAYER_CLASS(Commented);
            template <typename Dtype>
            Layer<Dtype>* GetLayer(const LayerParameter& param) {{
              const std::string& type = param.type();
            {v0} switch (param.type()) {{ {v1} }}
            """
        + "\n}\n"
        + "".join(f"REGISTER_LAYER_CREATOR({n}, Get{n}Layer);\n" for n in names(Kind.LAYER)[:3]),
        "src/caffe/layers/all.cu": "".join(f"REGISTER_LAYER_CLASS({n});\n" for n in names(Kind.LAYER)[3:]),
        "src/caffe/solvers/all.cpp": "".join(f"REGISTER_SOLVER_CLASS({n});\n" for n in names(Kind.SOLVER))
        + "".join(f"  case SolverParameter_SolverType_{n}:\n" for n in names(Kind.SOLVER, Form.ENUM))
        + policies,
        "src/caffe/util/upgrade_proto.cpp": _upgrade(bit),
        "include/caffe/filler.hpp": f"Filler<Dtype>* GetFiller(const FillerParameter& param) {{\n{fillers}\n}}\n",
    }


def _upgrade(bit: int) -> str:
    rows = [
        (generation, old, new)
        for generation in ("v0", "v1")
        for old in [row.split("\t")[1] for row in registry._upgrades() if row.startswith(generation)]
        for new, forks in registry.upgrades(generation, old)
        if forks & bit
    ]
    return "".join(
        f'  case V1LayerParameter_LayerType_{old}:\n    return "{new}";\n'
        if generation == "v1"
        else f'  }} else if (type == "{old}") {{\n    return V1LayerParameter_LayerType_{new};\n'
        for generation, old, new in rows
    )


def make(root: Path, fork: str) -> Path:
    """A repository whose Caffe is like a fork; its root."""
    root.mkdir(parents=True, exist_ok=True)
    for name, text in {USUAL: proto_of(fork), **sources_of(fork)}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


@cache
def classes(proto: Path) -> dict[str, Any]:
    """The message classes that protoc's descriptors of a proto make, by name."""
    from google.protobuf import descriptor_pool, message_factory

    pool = descriptor_pool.DescriptorPool()
    files = protoc(proto.parent, proto.name).file
    for file in files:
        pool.Add(file) if hasattr(pool, "Add") else pool.AddSerializedFile(file.SerializeToString())
    found = {}
    for name in ("NetParameter", "SolverParameter"):
        found[name] = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"caffe.{name}"))
    return found


def trouble(proto: Path, root: str, data: bytes) -> str:
    """What a class compiled from a proto says of a text; empty if it reads it."""
    from google.protobuf import text_format

    try:
        text_format.Parse(data.decode("latin-1"), classes(proto)[root]())
    except (text_format.ParseError, ValueError) as error:
        return str(error) or "?"
    return ""


def unregistered(fork: str, message: Any) -> Iterator[str]:
    """Names of layer types in a net, as strings, that a fork does not register."""
    for layer in getattr(message, "layer", ()):
        if not registry.registering(Kind.LAYER, layer.type) & load().bit(fork):
            yield layer.type

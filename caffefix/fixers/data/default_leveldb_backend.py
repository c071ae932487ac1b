"""A Data layer reads an LMDB but does not say so: Caffe opens it as a LevelDB.

## What it finds

Data layers without `backend` whose `source` is named after LMDB: `train_lmdb`, `data/lmdb/train`.

## Why it matters

`backend` defaults to LEVELDB, whatever `source` is called. Caffe creates a new LevelDB lock in the folder,
finds no LevelDB and aborts: `Failed to open leveldb`.

## Example

```
 data_param {
   source: "examples/mnist/mnist_train_lmdb"
+  backend: LMDB
   batch_size: 64
 }
```

## Fix safety

Unsafe: what the folder holds is guessed from its name.

## When it is a false alarm

When the folder holds a LevelDB anyway, or the file is read by another program, one that detects the kind of
database itself.

## References

- BVLC Caffe, `caffe.proto`, `DataParameter`; `src/caffe/util/db_leveldb.cpp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix._startup.patterns import pattern
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import bvlc_layers
from caffefix.syntax.edits import After, Insert, NewField
from caffefix.syntax.scalars import string_value

PASS = Pass.REPAIR
CHANGES = ("layer.data_param.backend",)
SIGNS = ("data_param",)
NAME = "default-leveldb-backend"

_LMDB = pattern(r"(?<![a-z0-9])lmdb(?![a-z0-9])")


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer."""
    for layer in bvlc_layers(subject):
        holder = layer.node.message("data_param") if layer.type == "Data" else None
        source = holder.field("source") if holder is not None else None
        if holder is None or source is None or holder.has("backend") or source.in_list:
            continue
        path = string_value(source.value).lower()
        if not _LMDB.search(path.replace("_", " ")) or "leveldb" in path:
            continue
        message = (
            "the source is named after LMDB, but without backend Caffe opens it as a LevelDB; adds backend: LMDB"
        )
        fix = Fix(
            (Insert(After(source), (NewField("backend", "LMDB"),)),), Applicability.UNSAFE, "add backend: LMDB"
        )
        yield Finding(NAME, Severity.WARNING, message, source, layer=layer.name, fix=fix)

"""An HDF5Data layer has a `transform_param`, on which Caffe aborts.

## What it finds

`transform_param { … }` in a layer of type HDF5Data, even an empty one.

## Why it matters

HDF5Data passes on the numbers of the file unchanged. So that nobody expects otherwise, Caffe aborts:
`HDF5Data does not transform data.`

## Example

```
 layer {
   name: "data"
   type: "HDF5Data"
   top: "data"
   top: "label"
-  transform_param {
-    scale: 0.00390625
-  }
   hdf5_data_param { source: "train.txt" batch_size: 64 }
 }
```

## Fix safety

Safe: the old net could not be built. The edit does not replace the scale and mean: apply them when you write
the HDF5 file, or with a Power layer after the data.

## When it is a false alarm

For a fork whose HDF5Data transforms. Files that BVLC's parser does not accept are not reported.

## References

- BVLC Caffe, `src/caffe/layers/hdf5_data_layer.cpp`, `LayerSetUp`
- BVLC/caffe issue 1718
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import bvlc_layers
from caffefix.syntax.edits import Delete

PASS = Pass.REPAIR
CHANGES = ("layer.transform_param",)
SIGNS = ("HDF5Data",)
NAME = "transform-on-hdf5-data"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer."""
    for layer in bvlc_layers(subject):
        transform = layer.node.message("transform_param")
        if layer.type != "HDF5Data" or transform is None or transform.in_list:
            continue
        lost = [node.name for node in transform.children() if node.name in ("scale", "mean_value", "mean_file")]
        advice = f" ({' and '.join(dict.fromkeys(lost))} must then be applied to the data)" if lost else ""
        message = f'Caffe aborts with "HDF5Data does not transform data."; deletes transform_param{advice}'
        fix = Fix((Delete(transform),), Applicability.SAFE, "delete transform_param")
        yield Finding(NAME, Severity.ERROR, message, transform, layer=layer.name, fix=fix)

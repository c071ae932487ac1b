"""A layer does not say how many outputs it has.

## What it finds

Convolution, Deconvolution, InnerProduct, Embed, LSTM and RNN without `num_output`, or with 0: mostly a
template that was not filled in.

## Why it matters

The field has no default but 0, and a layer without outputs is none: Caffe aborts with
`Check failed: num_output_ > 0 (0 vs. 0)`, which does not say where. InnerProduct does not ask, and the
net ends in its filler, with `Check failed: data_` or `Check failed: blob->count()`.

## Example

```
 layer {
   name: "fc8"
   type: "InnerProduct"
   bottom: "fc7"
   top: "fc8"
   inner_product_param {
+    num_output: 20
     weight_filler {
       type: "xavier"
     }
   }
 }
```

## Fix safety

No fix: how many outputs there should be (classes, channels) is not in the file.

## When it is a false alarm

For a program that fills in the number before Caffe reads the file. Pasted parts of nets are left alone, and
so are files that BVLC's parser does not take.

## References

- BVLC Caffe, `src/caffe/layers/base_conv_layer.cpp`, `embed_layer.cpp` and `recurrent_layer.cpp`, `LayerSetUp`;
  `include/caffe/filler.hpp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.layers.book import BOOK
from caffefix.caffe.layers.shapes.outputs import given, is_outputless, words
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._layers import whole_nets

PASS = Pass.REPAIR
SIGNS = tuple(kind.name for kind in BOOK.values() if kind.outputless)
NAME = "missing-num-output"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer."""
    for net in whole_nets(subject):
        for layer in net.layers:
            if not is_outputless(layer):
                continue
            said, node = words(layer), given(layer)
            what = "num_output is missing" if node is None else "num_output is 0"
            message = f"{what}: Caffe aborts{f' with {chr(34)}{said}{chr(34)}' if said else ''}"
            where = node or layer.node.message(layer.kind.weights) or layer.node
            yield Finding(NAME, Severity.ERROR, f"{message}; give the number of outputs", where, layer.name)

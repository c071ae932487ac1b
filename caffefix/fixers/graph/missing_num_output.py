"""A layer does not say how many outputs it has.

## What it finds

Convolution, Deconvolution, InnerProduct, Embed, LSTM and RNN without `num_output`, or with `num_output: 0`:
usually a template that was not filled in.

## Why it matters

The field defaults to 0, and a layer must have outputs: Caffe aborts with `Check failed: num_output_ > 0 (0
vs. 0)`, which does not name the layer. InnerProduct does not check the number, so Caffe aborts later, in
the filler, with `Check failed: data_` or `Check failed: blob->count()`.

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

No fix: the file does not say how many outputs (classes, channels) there should be.

## When it is a false alarm

If a program fills in the number before Caffe reads the file. Snippets of nets, and files that BVLC's parser
does not accept, are not reported.

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
            yield Finding(NAME, Severity.ERROR, f"{message}; set the number of outputs", where, layer.name)

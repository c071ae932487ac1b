"""The files of ``hostile.py``: each of a kind that was, or might be, slow beyond its size; of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

JUDGED = ("--check", "--notes", "--unsafe")
SHOWN = ("--dry-run", "--notes")

DATA = (
    'layer { name: "data" type: "Data" top: "data" top: "label" '
    'data_param { source: "a" batch_size: 8 backend: LMDB } }'
)
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "%s" bottom: "label" }'
CONV = (
    'layer { name: "c%d" type: "Convolution" bottom: "%s" top: "c%d" convolution_param '
    '{ num_output: 8 kernel_size: 3 pad: 1 weight_filler { type: "xavier"%s } } }'
)


@dataclass(frozen=True)
class Case:
    """A kind of file.

    Attributes:
        make: the text, of about that many bytes.
        args: how caffefix is called.
        beside: what lies beside the file: a name, and its text made of the same size.
    """

    make: Callable[[int], str]
    args: tuple[str, ...] = JUDGED
    beside: tuple[tuple[str, Callable[[int], str]], ...] = ()


def filled(size: int, unit: Callable[[int], str]) -> str:
    """Units numbered from 0 until there are enough bytes."""

    def units() -> Iterator[str]:
        left, index = size, 0
        while left > 0:
            text = unit(index)
            left -= len(text)
            index += 1
            yield text

    return "".join(units())


def listed(size: int, element: str) -> str:
    return f"[{', '.join([element] * (size // (len(element) + 2) + 1))}]"


def net(size: int, unit: Callable[[int], str], end: str = "\n") -> str:
    """A train net: data, units, a loss on the first convolution."""
    return end.join((DATA, filled(size, lambda index: unit(index) + end), LOSS % "data", ""))


def chain(size: int, unit: Callable[[int], str], end: str = "\n") -> str:
    """A train net of layers one behind the other, each made of its number."""
    last = [0]

    def one(index: int) -> str:
        last[0] = index
        return unit(index) + end

    body = filled(size, one)
    return end.join((DATA, body + LOSS % f"c{last[0]}", ""))


def below(index: int) -> str:
    return f"c{index - 1}" if index else "data"


def conv(index: int, more: str = "") -> str:
    return CONV % (index, below(index), index, more)


def beside(index: int, more: str = "") -> str:
    return CONV % (index, "data", index, more)


def layer(name: str, kind: str, rest: str) -> str:
    return f'layer {{ name: "{name}" type: "{kind}" {rest} }}'


def in_one_layer(unit: Callable[[int], str]) -> Callable[[int], str]:
    def make(size: int) -> str:
        inner = filled(size, lambda index: f"  {unit(index)}\n")
        return f'{DATA}\nlayer {{\n  name: "a"\n  type: "ReLU"\n  bottom: "data"\n  top: "a"\n{inner}}}\n'

    return make


def solver(rest: Callable[[int], str]) -> Callable[[int], str]:
    return lambda size: (
        'net: "n.prototxt"\nbase_lr: 0.1\nmax_iter: 9\nlr_policy: "multistep"\ngamma: 0.1\n' + rest(size)
    )


def stages(size: int) -> str:
    return filled(size, lambda index: f'stage: "s{index}" ')


def nested(size: int) -> str:
    count = size // 12
    return "layer {" + "relu_param {" * count + "}" * count + "}\n"


def legacy(index: int) -> str:
    return (
        f'layers {{ name: "c{index}" type: CONVOLUTION bottom: "{below(index)}" top: "c{index}" '
        "blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0 "
        "convolution_param { num_output: 8 kernel_size: 1 } }"
    )


def oldest(index: int) -> str:
    return (
        f'layers {{ layer {{ name: "c{index}" type: "conv" num_output: 8 kernelsize: 1 pad: 0 blobs_lr: 1. }} '
        f'bottom: "{below(index)}" top: "c{index}" }}'
    )


UNSAFE = " std: 0.01"
PATCH = (
    'name: "pad-of-one"\nsummary: "A padding of one."\n---\n  layer {\n    type: "Convolution"\n'
    "    convolution_param {\n-     pad: 1\n+     pad: 2\n      ...\n    }\n    ...\n  }\n"
)

CASES = {
    # Fixes
    "unsafe fixes in one line": Case(
        lambda n: chain(n, lambda i: conv(i).replace("xavier", "gaussian"), " "), SHOWN
    ),
    "unsafe fixes, a line each": Case(lambda n: chain(n, lambda i: conv(i).replace("xavier", "gaussian")), SHOWN),
    "unsafe fixes that share one": Case(lambda n: net(n, lambda i: beside(i, UNSAFE)), SHOWN),
    "the same, made": Case(
        lambda n: chain(n, lambda i: conv(i).replace("xavier", "gaussian")), (*SHOWN, "--unsafe")
    ),
    "safe fixes in one line": Case(
        lambda n: net(n, lambda i: CONV.replace("weight_filler", "wieght_filler") % (i, "data", i, ""), " "), SHOWN
    ),
    "old layers": Case(lambda n: filled(n, lambda i: legacy(i) + "\n")),
    "oldest layers": Case(lambda n: filled(n, lambda i: oldest(i) + "\n")),
    "oldest layers in one line": Case(lambda n: filled(n, lambda i: oldest(i) + " ")),
    "oldest layers behind blanks": Case(lambda n: " " * (n // 2) + filled(n // 2, lambda i: oldest(i) + " ")),
    # Comments
    "suppressions above a field": Case(
        lambda n: filled(n, lambda i: "# caffefix: ignore[double-softmax] a reason\n") + DATA + "\n"
    ),
    "suppressions of unknown names": Case(
        lambda n: filled(n, lambda i: f"# caffefix: ignore[name-{i}] a reason\n") + DATA + "\n"
    ),
    "suppressions, one a layer": Case(
        lambda n: net(n, lambda i: f"# caffefix: ignore[double-softmax] a\n{beside(i)}")
    ),
    "names in one suppression": Case(
        lambda n: f"# caffefix: ignore[{filled(n, lambda i: f'name-{i}, ')}x] a\n{DATA}\n"
    ),
    "suppressions in one comment": Case(
        lambda n: filled(n, lambda i: "# caffefix: ignore[double-softmax] a ") + f"\n{DATA}\n"
    ),
    "comments": Case(lambda n: filled(n, lambda i: f"# {i}\n") + DATA + "\n"),
    "comments in an old layer": Case(
        lambda n: filled(n, lambda i: f"# {i}\n").join(
            ("layers {\n", 'name: "a" type: RELU bottom: "b" top: "c" }\n')
        )
    ),
    "a comment": Case(lambda n: f"# {'x' * n}\n{DATA}\n"),
    # Layers
    "layers in a chain": Case(lambda n: chain(n, conv)),
    "layers in place": Case(lambda n: net(n, lambda i: layer(f"r{i}", "ReLU", 'bottom: "data" top: "data"'))),
    "tops alike": Case(lambda n: net(n, lambda i: layer(f"r{i}", "ReLU", 'bottom: "data" top: "a"'))),
    "names alike": Case(lambda n: net(n, lambda i: layer("r", "ReLU", f'bottom: "data" top: "a{i}"'))),
    "bottoms that nothing makes": Case(
        lambda n: net(n, lambda i: layer(f"r{i}", "ReLU", f'bottom: "x{i}" top: "a{i}"'))
    ),
    "types that are none": Case(
        lambda n: net(n, lambda i: layer(f"r{i}", f"Con{i}", f'bottom: "data" top: "a{i}"'))
    ),
    "types without convolution": Case(
        lambda n: chain(
            n,
            lambda i: layer(
                f"i{i}",
                "InnerProduct",
                f'bottom: "{below(i)}" top: "c{i}" inner_product_param {{ num_output: 9 }}',
            ),
        )
    ),
    "layers with the same parameters": Case(
        lambda n: net(
            n, lambda i: beside(i).replace(" convolution_param", ' param { name: "w" } convolution_param')
        )
    ),
    "losses": Case(
        lambda n: net(n, lambda i: layer(f"l{i}", "SoftmaxWithLoss", 'bottom: "data" bottom: "label"'))
    ),
    "data layers": Case(lambda n: filled(n, lambda i: DATA.replace(": LMDB", ": LEVELDB") + "\n")),
    "inputs": Case(lambda n: filled(n, lambda i: f'input: "d{i}" input_shape {{ dim: 1 dim: 3 }}\n')),
    "batch normalisation": Case(
        lambda n: chain(n, lambda i: layer(f"b{i}", "BatchNorm", f'bottom: "{below(i)}" top: "c{i}"'))
    ),
    # Fields of one layer
    "includes": Case(in_one_layer(lambda i: "include { phase: TRAIN }")),
    "stages": Case(in_one_layer(lambda i: f'include {{ stage: "s{i}" }}')),
    "stages in one include": Case(
        lambda n: layer("a", "ReLU", f'bottom: "d" top: "e" include {{ {stages(n)} }}\n')
    ),
    "params": Case(in_one_layer(lambda i: "param { lr_mult: 1 decay_mult: 1 }")),
    "tops of one layer": Case(in_one_layer(lambda i: f'top: "t{i}"')),
    "bottoms of one layer": Case(in_one_layer(lambda i: 'bottom: "data"')),
    "unknown fields": Case(in_one_layer(lambda i: f"kernel_sized{i}: 1")),
    "unknown fields, a layer each": Case(
        lambda n: net(n, lambda i: layer(f"r{i}", "ReLU", f'bottom: "data" top: "a{i}" botom{i}: 3'))
    ),
    "fields twice": Case(in_one_layer(lambda i: 'name: "b"')),
    "messages twice": Case(in_one_layer(lambda i: "relu_param { negative_slope: 0.1 }")),
    "wrong values": Case(in_one_layer(lambda i: 'relu_param { negative_slope: "x" }')),
    "unknown enum values": Case(in_one_layer(lambda i: f"pooling_param {{ pool: MAXX{i} }}")),
    # Text
    "a list of numbers": Case(lambda n: f'input: "d" input_dim: {listed(n, "1")}\n'),
    "a list of messages": Case(lambda n: f"layer: {listed(n, '{ }')}\n"),
    "nesting": Case(nested),
    "opened and never closed": Case(lambda n: "layer { " * (n // 8)),
    "a string": Case(lambda n: f'name: "{"x" * n}"\n'),
    "a string of escapes": Case(lambda n: f'name: "{chr(92)}x41{f"{chr(92)}101" * (n // 4)}"\n'),
    "strings side by side": Case(lambda n: f"name: {''.join([chr(34) * 2 + ' '] * (n // 3))}\n"),
    "strings under one another": Case(lambda n: "name:\n" + '""\n' * (n // 3)),
    "a string without an end": Case(lambda n: f'name: "{"x" * n}\n'),
    "strings without an end": Case(lambda n: 'name: "x\n' * (n // 9)),
    "a long number": Case(lambda n: f"layer {{ loss_weight: {'1' * n} }}\n"),
    "a long whole number": Case(lambda n: f"input_dim: {'1' * n}\n"),
    "a long name": Case(lambda n: f"layer {{ {'x' * n}: 1 }}\n"),
    "blanks": Case(lambda n: " " * n + DATA),
    "blank lines": Case(lambda n: "\n" * n + DATA),
    "carriage returns": Case(lambda n: "\r" * n + DATA),
    "curly quotes": Case(lambda n: filled(n, lambda i: "layer { name: \u201cdata\u201d }\n")),
    "dashes": Case(lambda n: f"name: {'-' * n}\n"),
    # Solvers
    "steps": Case(solver(lambda n: filled(n, lambda i: f"stepvalue: {i}\n"))),
    "test nets": Case(solver(lambda n: filled(n, lambda i: f'test_net: "t{i}.prototxt" test_iter: 1\n'))),
    "train nets": Case(solver(lambda n: filled(n, lambda i: f'train_net: "t{i}.prototxt"\n'))),
    "nets in a solver": Case(lambda n: filled(n, lambda i: f"test_net_param {{ {DATA} }}\n")),
    # What lies beside
    "a patch over many layers": Case(
        lambda n: net(n, beside), (*JUDGED, "--patch", "a.patch"), (("a.patch", lambda n: PATCH),)
    ),
    "rules of many stars": Case(
        lambda n: DATA, JUDGED, ((".gitignore", lambda n: filled(n, lambda i: "*" + "[a-z]*" * 9 + f"{i}\n")),)
    ),
    "names to ignore": Case(
        lambda n: DATA, JUDGED, ((".caffefixignore", lambda n: filled(n, lambda i: f"name{i}*x\n")),)
    ),
}

"""What forums say of mean, scale, xavier, debug_info, use_global_stats and base_lr, and what Caffe does.

    caffe-env/bin/python bench/forum_claims.py [CLAIM...]

Runs inside an interpreter with real Caffe (3.7 or later, with numpy), in a few minutes on one core, and
prints the figures that the pages in docs/findings quote in "What the forums say". Claims: mean, power,
transformer, std, debug_info, base_lr, global_stats. Images are synthetic: each class has a pattern, plus noise.

kendryte-caffe's BatchNorm normalises by stored statistics always; for global_stats a Python layer with the
formulas of BVLC's batch_norm_layer.cpp stands in for it. All else is Caffe's own, its solver included.
"""

import os
import struct
import subprocess
import sys
import tempfile
import zlib

os.environ["GLOG_minloglevel"] = "0" if sys.argv[1:] == ["debug_info"] else "2"  # noqa: SIM112 - so it is called

import caffe
import numpy as np

BATCH, CLASSES, SIZE = 25, 5, 16


# ---------------------------------------------------------------- nets


def net_of(text, phase=caffe.TRAIN, seed=1):
    """A net of a text."""
    caffe.set_random_seed(seed)
    with open("net.prototxt", "w") as file:
        file.write(text)
    return caffe.Net("net.prototxt", phase)


def layer(name, kind, bottom="", top="", body=""):
    ends = " ".join(f'bottom: "{b}"' for b in bottom.split()) + " " + " ".join(f'top: "{t}"' for t in top.split())
    return f'layer {{ name: "{name}" type: "{kind}" {ends} {body} }}\n'


def inputs(*shapes):
    """The net's inputs: data, and label if it has a shape."""
    text = ""
    for i, shape in enumerate(shapes):
        dims = " ".join(f"dim: {d}" for d in shape)
        text += layer("shape", "Input", "", ("data", "label")[i], f"input_param {{ shape {{ {dims} }} }}")
    return text


def write_png(path, pixels):
    """A grey 8-bit image of pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels.astype(np.uint8))
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def pictures(random, count, patterns):
    """Labels, and images of 8 bits around a mean of 104 with a deviation of about 58."""
    label = random.permutation(np.arange(count) % CLASSES)
    raw = patterns[label] + random.normal(0, 20, (count, *patterns.shape[1:]))
    return label, np.clip(np.round(raw), 0, 255)


def patterns_of(cells):
    """For each class a pattern of cells, as many each way."""
    drawn = np.random.RandomState(7).uniform(-1.7, 1.7, (CLASSES, 3, cells, cells))
    return 104 + 54 * drawn.repeat(SIZE // cells, axis=2).repeat(SIZE // cells, axis=3)


# ---------------------------------------------------------------- mean and scale


def read(transform):
    """What an ImageData layer makes of an image of 8 bits."""
    source = 'image_data_param { source: "list.txt" batch_size: 1 is_color: false }'
    net = net_of(layer("data", "ImageData", "", "data label", f"transform_param {{ {transform} }} {source}"))
    net.forward()
    return net.blobs["data"].data[0, 0].astype(np.float64)


def make_image():
    pixels = np.clip(np.round(np.random.RandomState(0).normal(104, 40, (64, 64))), 0, 255)
    write_png("image.png", pixels)
    with open("list.txt", "w") as file:
        file.write(os.path.abspath("image.png") + " 0\n")
    return pixels


def mean():
    """Claim: with a scale of 1/255 the mean must be divided by 255, too."""
    pixels = make_image()
    for value in ("104", "0.40784313"):
        seen = read(f"scale: 0.00392156863 mean_value: {value}")
        by_hand = (pixels - float(value)) * 0.00392156863
        print(
            f"mean_value: {value:<11} input mean {seen.mean():+.4f} std {seen.std():.4f}, "
            f"(x - mean) * scale to within {np.abs(seen - by_hand).max():.0e}"
        )


def power():
    """Claim: (x - mean) * scale and x * scale - mean * scale are different things."""
    pixels, scale = make_image(), 0.0078125
    whole = read(f"scale: {scale} mean_value: 127.5")
    for shift in (-127.5 * scale, -127.5):
        param = f"power_param {{ scale: {scale} shift: {shift} }}"
        net = net_of(inputs((1, 1, 64, 64)) + layer("norm", "Power", "data", "norm", param))
        net.blobs["data"].data[0, 0] = pixels
        net.forward()
        seen = net.blobs["norm"].data[0, 0]
        print(
            f"shift: {shift:<11} input mean {seen.mean():+.4f} std {seen.std():.4f}, from "
            f"transform_param's {np.abs(seen - whole).max():.4g} at most"
        )


def transformer():
    """Claim: in pycaffe the mean must be scaled like the image."""
    import caffe.io

    pixels = make_image()
    image = pixels[:, :, np.newaxis] / 255  # as caffe.io.load_image gives it
    whole = read("scale: 0.00390625 mean_value: 104")
    for value in (104.0, 104 / 255):
        made = caffe.io.Transformer({"data": (1, 1, 64, 64)})
        made.set_transpose("data", (2, 0, 1))
        made.set_raw_scale("data", 255)
        made.set_mean("data", np.array([value]))
        made.set_input_scale("data", 0.00390625)
        seen = made.preprocess("data", image)[0]
        apart = np.abs(seen - whole).max()
        print(f"set_mean({value:.6g}): at most {apart:.4g} from what the data layer fed in training")


# ---------------------------------------------------------------- fillers


def std():
    """Claim: xavier with std 0.1 gives weights of standard deviation 0.1."""
    seen = []
    for field in ("", "std: 0.1", "std: 0.001"):
        body = f'num_output: 64 kernel_size: 3 weight_filler {{ type: "xavier" {field} }}'
        conv = layer("conv", "Convolution", "data", "conv", f"convolution_param {{ {body} }}")
        net = net_of(inputs((1, 64, 8, 8)) + conv)
        weights = net.params["conv"][0].data.copy()
        seen.append(weights)
        same = "the same weights" if np.array_equal(weights, seen[0]) else "other weights"
        print(f"xavier {field:<11} std {weights.std():.5f} (1/sqrt(576) is {576**-0.5:.5f}), {same}")


# ---------------------------------------------------------------- debug_info


def debug_info():
    """Claim: the numbers of debug_info are L2 norms."""
    body = 'num_output: 8 kernel_size: 3 weight_filler { type: "xavier" }'
    text = "debug_info: true\n" + inputs((2, 3, 16, 16)) + layer(
        "conv", "Convolution", "data", "conv", f"convolution_param {{ {body} }}"
    )  # fmt: skip
    with tempfile.TemporaryFile() as log:
        err = os.dup(2)
        os.dup2(log.fileno(), 2)
        net = net_of(text)
        net.blobs["data"].data[...] = np.random.RandomState(0).normal(0, 58, (2, 3, 16, 16))
        net.forward()
        os.dup2(err, 2)
        log.seek(0)
        lines = log.read().decode().splitlines()
    (line,) = [line for line in lines if "top blob conv data" in line]
    x = net.blobs["conv"].data.astype(np.float64)
    print(line.split("] ", 1)[-1].strip())
    print(f"sum |x| / count {np.abs(x).mean():.6g}, L2 norm {np.sqrt((x * x).sum()):.6g}, ", end="")
    print(f"root mean square {np.sqrt((x * x).mean()):.6g}")


# ---------------------------------------------------------------- learning rates


def deep(filler):
    """A VGG-16 of 16 channels on small images: 13 convolutions, 3 inner products."""
    text, bottom = inputs((BATCH, 3, SIZE, SIZE), (BATCH,)), "data"
    fill = f'weight_filler {{ type: "{filler}" }}'
    for i in range(1, 14):
        body = f"convolution_param {{ num_output: 16 kernel_size: 3 pad: 1 {fill} }}"
        text += layer(f"conv{i}", "Convolution", bottom, f"conv{i}", body)
        text += layer(f"relu{i}", "ReLU", f"conv{i}", f"conv{i}")
        bottom = f"conv{i}"
        if i in (2, 4, 7):
            text += layer(f"pool{i}", "Pooling", bottom, f"pool{i}", "pooling_param { kernel_size: 2 stride: 2 }")
            bottom = f"pool{i}"
    for i, size in ((14, 64), (15, 64), (16, CLASSES)):
        body = f"inner_product_param {{ num_output: {size} {fill} }}"
        text += layer(f"fc{i}", "InnerProduct", bottom, f"fc{i}", body)
        bottom = f"fc{i}"
        if i < 16:
            text += layer(f"relu{i}", "ReLU", bottom, bottom)
    return text + layer("loss", "SoftmaxWithLoss", f"{bottom} label", "loss")


def solver_of(text, rate):
    with open("train.prototxt", "w") as file:
        file.write(text)
    with open("solver.prototxt", "w") as file:
        file.write(
            f'net: "train.prototxt" base_lr: {rate} lr_policy: "fixed" momentum: 0.9 weight_decay: 0.0005 '
            "max_iter: 100000 random_seed: 1 snapshot_after_train: false"
        )
    return caffe.get_solver("solver.prototxt")


def train(solver, scale, steps, patterns):
    """Losses of training on centred images times a scale."""
    random = np.random.RandomState(0)
    losses = []
    for _ in range(steps):
        label, pixels = pictures(random, BATCH, patterns)
        solver.net.blobs["data"].data[...] = (pixels - 104) * scale
        solver.net.blobs["label"].data[...] = label
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))
    return losses


def base_lr():
    """Claim: where scale: 0.00390625 stops a net from learning, base_lr times 255 makes up for it."""
    print(f"chance is ln {CLASSES} = {np.log(CLASSES):.3f}; the loss is the mean of the last 30 of 800")
    for filler, scale, rate in (
        ("xavier", 1, 0.001), ("xavier", 1 / 256, 0.001), ("xavier", 1 / 256, 0.255), ("xavier", 1 / 256, 2.55),
        ("msra", 1 / 256, 0.001), ("msra", 1 / 256, 0.255),
    ):  # fmt: skip
        losses = train(solver_of(deep(filler), rate), scale, 800, patterns_of(4))
        last = np.mean(losses[-30:])
        print(f"{filler:<7} scale {scale:<11} base_lr {rate:<6} loss {losses[0]:.4g} -> {last:.4g}")


# ---------------------------------------------------------------- use_global_stats


class Normalize(caffe.Layer):
    """BatchNorm as in BVLC's batch_norm_layer.cpp; param_str: whether TRAIN and TEST use stored statistics."""

    stored = np.zeros(3)  # sums of mean and variance, and of weights, which all nets share

    def setup(self, bottom, top):
        self.stats = [word == "true" for word in self.param_str.split()][self.phase]

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        x = np.array(bottom[0].data, dtype=np.float64)
        mean, variance = Normalize.average() if self.stats else (x.mean((0, 2, 3)), x.var((0, 2, 3)))
        if not self.stats:
            count = x.size / x.shape[1]
            new = np.array([mean, variance * count / max(count - 1, 1), np.ones_like(mean)])
            Normalize.stored = Normalize.stored * 0.999 + new if self.phase == caffe.TRAIN else Normalize.stored
        self.root = np.sqrt(variance + 1e-5).reshape(-1, 1, 1)
        self.y = (x - np.reshape(mean, (-1, 1, 1))) / self.root
        top[0].data[...] = self.y

    @classmethod
    def average(cls):
        return cls.stored[0] / cls.stored[2], cls.stored[1] / cls.stored[2]

    @classmethod
    def reset(cls, channels):
        cls.stored = np.zeros((3, channels))
        cls.stored[2] = 1e-300  # Caffe's statistics of a net that was never trained are 0

    def backward(self, top, propagate_down, bottom):
        dy = np.array(top[0].diff, dtype=np.float64)
        if not self.stats:
            axes = (0, 2, 3)
            dy -= dy.mean(axes, keepdims=True) + self.y * (dy * self.y).mean(axes, keepdims=True)
        bottom[0].diff[...] = dy / self.root


def normed(batch, modes):
    body = 'convolution_param { num_output: 16 kernel_size: 3 weight_filler { type: "msra" } }'
    param = f'python_param {{ module: "forum_claims" layer: "Normalize" param_str: "{modes}" }}'
    return (
        inputs((batch, 3, SIZE, SIZE), (batch,))
        + layer("conv", "Convolution", "data", "conv", body)
        + layer("norm", "Python", "conv", "norm", param)
        + layer("scale", "Scale", "norm", "norm", "scale_param { bias_term: true }")
        + layer("relu", "ReLU", "norm", "norm")
        + layer("pool", "Pooling", "norm", "pool", "pooling_param { pool: AVE kernel_size: 7 stride: 7 }")
        + layer("fc", "InnerProduct", "pool", "fc",
                f'inner_product_param {{ num_output: {CLASSES} weight_filler {{ type: "xavier" }} }}')
        + layer("loss", "SoftmaxWithLoss", "fc label", "loss")
    )  # fmt: skip


def accuracy(solver, modes, batch, by_class):
    """Share of 500 new images that are told right, in the TEST phase."""
    net = net_of(normed(batch, modes), caffe.TEST)
    net.share_with(solver.net)
    random, right = np.random.RandomState(99), 0
    label, pixels = pictures(random, 500, patterns_of(1))
    order = np.argsort(label, kind="stable") if by_class else np.arange(500)
    for part in order.reshape(-1, batch):
        net.blobs["data"].data[...] = (pixels[part] - 104) / 58
        net.blobs["label"].data[...] = label[part]
        net.forward()
        right += (net.blobs["fc"].data.argmax(1) == label[part]).sum()
    return right / 500


def global_stats():
    """Claim: use_global_stats is to be true in training and false in testing."""
    print("five classes that differ by colour; the loss is the mean of the last 30 of 300")
    for said, modes, rate in (
        ("left out", "false true", 0.01), ("true in TRAIN, false in TEST", "true false", 0.01),
        ("true in TRAIN, false in TEST", "true false", 1e-6), ("false", "false false", 0.01),
    ):  # fmt: skip
        sys.modules["forum_claims"].Normalize.reset(16)
        solver = solver_of(normed(BATCH, modes), rate)
        losses = train(solver, 1 / 58, 300, patterns_of(1))
        shares = [accuracy(solver, modes, *how) for how in ((BATCH, False), (BATCH, True), (1, False))]
        print(
            f"{said:<29} base_lr {rate:<5} loss {losses[0]:.4g} -> {np.mean(losses[-30:]):.4g}; accuracy in mixed "
            f"batches {shares[0]:.1%}, in batches of one class {shares[1]:.1%}, of one image {shares[2]:.1%}"
        )


CLAIMS = {f.__name__: f for f in (mean, power, transformer, std, debug_info, base_lr, global_stats)}


def main():
    names = sys.argv[1:]
    if set(names) - set(CLAIMS):
        sys.exit("claims: " + " ".join(CLAIMS))
    if len(names) != 1:  # each has a process of its own, because Caffe logs in one way or the other
        for name in names or CLAIMS:
            subprocess.run([sys.executable, os.path.abspath(__file__), name], check=True)
        return
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    __import__("forum_claims")  # for Caffe's Python layer: one class, whoever asks
    caffe.set_mode_cpu()
    claim = CLAIMS[names[0]]
    print(f"{names[0]}. {claim.__doc__}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        claim()
        os.chdir("/")
    print(flush=True)


if __name__ == "__main__":
    main()

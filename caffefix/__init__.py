"""caffefix repairs Caffe prototxt files, and proves each repair."""

__version__ = "0.1.0"

"""Trained weights: what a model file holds, and what Caffe does with it.

``binary.py`` reads ``.caffemodel`` files of every generation; ``copying.py`` says what Caffe does with them in a
net (``CopyTrainedLayersFrom``); ``numbers.py`` what the weights look like.
"""

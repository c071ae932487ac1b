"""The owner's own Caffe: the caffe.proto and the sources in a file's repository."""

"""The owner's own Caffe: the caffe.proto and the sources that lie in a file's repository."""

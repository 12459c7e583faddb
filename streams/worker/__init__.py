"""What judge, combine and history are made of: the book of each partition, snapshots, the Faust app, and the work of each."""

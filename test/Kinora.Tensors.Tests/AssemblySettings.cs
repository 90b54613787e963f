// The tests count live native tensors and share one pool of compute threads.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

// One cluster, one lab: what the tests do to it must not overlap.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

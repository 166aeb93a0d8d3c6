using System.Diagnostics.CodeAnalysis;
using Hardway.Api;

namespace Hardway.Client;

/// <summary>
/// The objects an informer has seen, by key ("namespace/name", or "name") and by any number of indexes. Written by the informer only; read by
/// all threads, which get shared objects: clone before a change.
/// </summary>
public sealed class Store<T> where T : KubeObject
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, T> _byKey = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Index> _indexes = new(StringComparer.Ordinal);
    private readonly Index _byNamespace = new(o => [o.Metadata.Namespace]);

    public int Count { get { lock (_gate) return _byKey.Count; } }

    /// <summary>Adds an index; objects that are there already are indexed.</summary>
    public void AddIndex(string name, Func<T, IEnumerable<string>> values)
    {
        lock (_gate)
        {
            var index = new Index(values);
            if (!_indexes.TryAdd(name, index)) return;
            foreach (var (key, obj) in _byKey) index.Add(key, obj);
        }
    }

    public T? Get(string key) { lock (_gate) return _byKey.GetValueOrDefault(key); }

    public T? Get(string? ns, string name) => Get(KubeKey.Of(ns, name));

    public bool TryGet(string key, [NotNullWhen(true)] out T? obj) { lock (_gate) return _byKey.TryGetValue(key, out obj); }

    public T[] List() { lock (_gate) return [.. _byKey.Values]; }

    public T[] List(string ns) { lock (_gate) return _byNamespace.Get(ns); }

    public string[] Keys() { lock (_gate) return [.. _byKey.Keys]; }

    public T[] ByIndex(string name, string value) { lock (_gate) return _indexes[name].Get(value); }

    internal T? Put(string key, T obj)
    {
        lock (_gate)
        {
            _byKey.TryGetValue(key, out var old);
            if (old is not null) Unindex(key, old);
            _byKey[key] = obj;
            _byNamespace.Add(key, obj);
            foreach (var index in _indexes.Values) index.Add(key, obj);
            return old;
        }
    }

    internal T? Remove(string key)
    {
        lock (_gate)
        {
            if (!_byKey.Remove(key, out var old)) return null;
            Unindex(key, old);
            return old;
        }
    }

    private void Unindex(string key, T old)
    {
        _byNamespace.Remove(key, old);
        foreach (var index in _indexes.Values) index.Remove(key, old);
    }

    private sealed class Index(Func<T, IEnumerable<string>> values)
    {
        private readonly Dictionary<string, Dictionary<string, T>> _sets = new(StringComparer.Ordinal);

        public T[] Get(string value) => _sets.TryGetValue(value, out var set) ? [.. set.Values] : [];

        public void Add(string key, T obj)
        {
            foreach (var value in values(obj))
            {
                if (!_sets.TryGetValue(value, out var set)) _sets[value] = set = new Dictionary<string, T>(StringComparer.Ordinal);
                set[key] = obj;
            }
        }

        public void Remove(string key, T obj)
        {
            foreach (var value in values(obj))
            {
                if (_sets.TryGetValue(value, out var set) && set.Remove(key) && set.Count == 0) _sets.Remove(value);
            }
        }
    }
}

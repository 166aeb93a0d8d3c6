using System.Text;

namespace Hardway.Api.FieldManagement;

/// <summary>A set of field paths as a tree. A node is a member itself, has members below, or both. Mutable; not shared.</summary>
public sealed class FieldSet
{
    private static readonly FieldSet s_none = new();
    private Dictionary<PathElement, FieldSet>? _children;

    public bool IsMember { get; private set; }

    public bool IsEmpty => !IsMember && (_children is null || _children.Values.All(c => c.IsEmpty));

    public IEnumerable<KeyValuePair<PathElement, FieldSet>> Children => _children ?? Enumerable.Empty<KeyValuePair<PathElement, FieldSet>>();

    private bool HasChildren => _children is { Count: > 0 };

    public static FieldSet Parse(object? fieldsV1)
    {
        var set = new FieldSet();
        if (fieldsV1 is Dictionary<string, object?> map)
        {
            set.Read(map, 0);
        }

        return set;
    }

    /// <summary>FieldsV1: {"f:a":{},"f:b":{".":{},"f:c":{}}}.</summary>
    public Dictionary<string, object?> ToFieldsV1()
    {
        var map = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (step, child) in Sorted())
        {
            if (child.IsEmpty)
            {
                continue;
            }

            var inner = child.ToFieldsV1();
            if (child.IsMember && inner.Count > 0)
            {
                var withSelf = new Dictionary<string, object?>(StringComparer.Ordinal) { ["."] = new Dictionary<string, object?>() };
                foreach (var (key, value) in inner)
                {
                    withSelf[key] = value;
                }

                inner = withSelf;
            }

            map[step.Text] = inner;
        }

        return map;
    }

    public FieldSet? Child(PathElement step) => _children?.GetValueOrDefault(step);

    public FieldSet ChildOrNew(PathElement step)
    {
        _children ??= [];
        if (!_children.TryGetValue(step, out var child))
        {
            _children[step] = child = new FieldSet();
        }

        return child;
    }

    public void Insert() => IsMember = true;

    public bool Has(PathElement step) => Child(step)?.IsMember == true;

    public FieldSet Union(FieldSet other) => Combine(this, other, (a, b) => a || b);

    public FieldSet Intersection(FieldSet other) => Combine(this, other, (a, b) => a && b);

    public FieldSet Difference(FieldSet other) => Combine(this, other, (a, b) => a && !b);

    /// <summary>Takes out all paths at or below the members of the other set.</summary>
    public FieldSet RecursiveDifference(FieldSet other)
    {
        var result = new FieldSet { IsMember = IsMember && !other.IsMember };
        if (other.IsMember)
        {
            return result;
        }

        foreach (var (step, child) in Children)
        {
            var against = other.Child(step);
            var rest = against is null ? child : child.RecursiveDifference(against);
            if (!rest.IsEmpty)
            {
                result.ChildOrNew(step).Absorb(rest);
            }
        }

        return result;
    }

    public FieldSet Clone() => Combine(this, s_none, (a, _) => a);

    /// <summary>Makes every struct field and map key on the way to a member a member itself.</summary>
    public FieldSet WithNamedFields(MergeType type)
    {
        var result = new FieldSet { IsMember = IsMember };
        foreach (var (step, child) in Children)
        {
            if (child.IsEmpty)
            {
                continue;
            }

            var inner = child.WithNamedFields(type.Step(step));
            if (inner.HasChildren && step.IsField)
            {
                inner.IsMember = true;
            }

            result.ChildOrNew(step).Absorb(inner);
        }

        return result;
    }

    /// <summary>The paths of all members, for messages: .spec.containers[name="a"].image.</summary>
    public IEnumerable<string> Paths(string prefix = "")
    {
        foreach (var (step, child) in Sorted())
        {
            var path = prefix + step.ForPeople();
            if (child.IsMember)
            {
                yield return path;
            }

            foreach (var inner in child.Paths(path))
            {
                yield return inner;
            }
        }
    }

    public bool SetEquals(FieldSet other) => IsMember == other.IsMember && Covers(other) && other.Covers(this);

    /// <summary>Whether every member of the other set is one of this.</summary>
    public bool Covers(FieldSet other)
    {
        if (other.IsMember && !IsMember)
        {
            return false;
        }

        foreach (var (step, child) in other.Children)
        {
            if (!(Child(step) is { } mine ? mine.Covers(child) : child.IsEmpty))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether any path is a member of both.</summary>
    public bool Overlaps(FieldSet other)
    {
        if (IsMember && other.IsMember)
        {
            return true;
        }

        foreach (var (step, child) in Children)
        {
            if (other.Child(step) is { } theirs && child.Overlaps(theirs))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes a step and all below it away, in place.</summary>
    internal void Drop(PathElement step) => _children?.Remove(step);

    /// <summary>Makes this node no member, in place; those below it stay.</summary>
    internal void Leave() => IsMember = false;

    private IEnumerable<KeyValuePair<PathElement, FieldSet>> Sorted() => _children is { Count: > 1 } ? _children.OrderBy(c => c.Key) : Children;

    public override string ToString() => Encoding.UTF8.GetString(ApiJson.SerializeTree(ToFieldsV1()));

    private static FieldSet Combine(FieldSet a, FieldSet b, Func<bool, bool, bool> rule)
    {
        var result = new FieldSet { IsMember = rule(a.IsMember, b.IsMember) };
        foreach (var (step, child) in a.Children)
        {
            result.Adopt(step, Combine(child, b.Child(step) ?? s_none, rule));
        }

        foreach (var (step, child) in b.Children)
        {
            if (a.Child(step) is null)
            {
                result.Adopt(step, Combine(s_none, child, rule));
            }
        }

        return result;
    }

    private void Adopt(PathElement step, FieldSet child)
    {
        if (!child.IsEmpty)
        {
            (_children ??= [])[step] = child;
        }
    }

    private void Absorb(FieldSet other)
    {
        IsMember |= other.IsMember;
        foreach (var (step, child) in other.Children)
        {
            ChildOrNew(step).Absorb(child);
        }
    }

    private void Read(Dictionary<string, object?> map, int depth)
    {
        if (depth > ApiJson.MaxDepth)
        {
            throw new ApiDecodeException("fieldsV1 is nested too deeply");
        }

        foreach (var (key, value) in map)
        {
            if (key == ".")
            {
                IsMember = true;
                continue;
            }

            if (key.Length < 2 || key[1] != ':' || key[0] is not ('f' or 'k' or 'v' or 'i'))
            {
                throw new ApiDecodeException($"fieldsV1 has the unknown path element \"{key}\"");
            }

            var child = ChildOrNew(Canonical(key));
            if (value is Dictionary<string, object?> { Count: > 0 } inner)
            {
                child.Read(inner, depth + 1);
            }
            else
            {
                child.IsMember = true;
            }
        }
    }

    private static PathElement Canonical(string key)
    {
        if (key[0] is 'f' or 'i')
        {
            return new PathElement(key);
        }

        var value = ApiJson.DeserializeTree(Encoding.UTF8.GetBytes(key[2..]));
        return key[0] == 'k' && value is Dictionary<string, object?> keys ? PathElement.Key(keys) : PathElement.Value(value);
    }
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Hardway.Api.Rbac.V1;

namespace Hardway.ApiServer.Authorization.Rbac;

/// <summary>
/// Roles and bindings by what a question asks for: the bindings of one subject in one namespace. One writer (the watch) at a time, any number
/// of readers without locks; a reader sees each object whole. Of namespace "" are the ClusterRoleBindings.
/// </summary>
internal sealed class RbacIndex
{
    private readonly Lock _writing = new();
    private readonly ConcurrentDictionary<(string Namespace, string Name), CompiledRule[]> _roles = new();
    private readonly ConcurrentDictionary<string, BindingTable> _bindings = new(StringComparer.Ordinal);

    /// <summary>The names of roles here are of ClusterRoles where the namespace is empty.</summary>
    public void SetRole(string ns, string name, IEnumerable<PolicyRule>? rules) => _roles[(ns, name)] = [.. (rules ?? []).Select(r => new CompiledRule(r))];

    public void RemoveRole(string ns, string name) => _roles.TryRemove((ns, name), out _);

    public bool HasRole(string ns, string name) => _roles.ContainsKey((ns, name));

    public ReadOnlySpan<CompiledRule> RulesOf(string ns, RoleRef role) =>
        _roles.TryGetValue((role.Kind == "ClusterRole" ? "" : ns, role.Name), out var rules) ? rules : [];

    public void SetBinding(string ns, string name, RoleRef role, IEnumerable<Subject>? subjects)
    {
        lock (_writing)
        {
            _bindings[ns] = (_bindings.GetValueOrDefault(ns) ?? BindingTable.Empty).With(new RbacBinding(ns, name, role, [.. subjects ?? []]));
        }
    }

    public void RemoveBinding(string ns, string name)
    {
        lock (_writing)
        {
            if (_bindings.TryGetValue(ns, out var table))
            {
                _bindings[ns] = table.Without(name);
            }
        }
    }

    /// <summary>The bindings in the namespace that name the user or one of the groups; each once for every subject that fits.</summary>
    public IEnumerable<(RbacBinding Binding, Subject Subject)> BindingsOf(string ns, string user, IReadOnlyCollection<string> groups)
    {
        if (!_bindings.TryGetValue(ns, out var table))
        {
            yield break;
        }

        foreach (var found in table.Of(RbacBinding.UserKey(user)))
        {
            yield return found;
        }

        foreach (var group in groups)
        {
            foreach (var found in table.Of(RbacBinding.GroupKey(group)))
            {
                yield return found;
            }
        }
    }

    private sealed class BindingTable(
        ImmutableDictionary<string, RbacBinding> byName, ImmutableDictionary<string, ImmutableArray<(RbacBinding Binding, Subject Subject)>> bySubject)
    {
        public static readonly BindingTable Empty = new(
            ImmutableDictionary.Create<string, RbacBinding>(StringComparer.Ordinal),
            ImmutableDictionary.Create<string, ImmutableArray<(RbacBinding, Subject)>>(StringComparer.Ordinal));

        public ImmutableArray<(RbacBinding Binding, Subject Subject)> Of(string key) => bySubject.TryGetValue(key, out var found) ? found : [];

        public BindingTable With(RbacBinding binding)
        {
            var clean = Without(binding.Name);
            var subjects = clean.Subjects;
            foreach (var subject in binding.Subjects)
            {
                if (binding.KeyOf(subject) is { } key)
                {
                    subjects = subjects.SetItem(key, clean.Of(subjects, key).Add((binding, subject)));
                }
            }

            return new BindingTable(clean.Names.SetItem(binding.Name, binding), subjects);
        }

        public BindingTable Without(string name)
        {
            if (!byName.TryGetValue(name, out var old))
            {
                return this;
            }

            var subjects = bySubject;
            foreach (var subject in old.Subjects)
            {
                if (old.KeyOf(subject) is { } key && subjects.TryGetValue(key, out var found))
                {
                    var rest = found.RemoveAll(f => f.Binding.Name == name);
                    subjects = rest.IsEmpty ? subjects.Remove(key) : subjects.SetItem(key, rest);
                }
            }

            return new BindingTable(byName.Remove(name), subjects);
        }

        private ImmutableDictionary<string, RbacBinding> Names => byName;

        private ImmutableDictionary<string, ImmutableArray<(RbacBinding Binding, Subject Subject)>> Subjects => bySubject;

        private ImmutableArray<(RbacBinding Binding, Subject Subject)> Of(ImmutableDictionary<string, ImmutableArray<(RbacBinding Binding, Subject Subject)>> subjects, string key) =>
            subjects.TryGetValue(key, out var found) ? found : [];
    }
}

using Hardway.Api;
using Hardway.Api.Rbac.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Authorization.Rbac;

/// <summary>
/// Keeps an <see cref="RbacIndex"/> equal to the cache: when the number of changes of a kind has moved, the objects that are not those seen
/// before are put in. Whoever asks first after a change does the work; the others wait for it, as they may not be judged by the past.
/// </summary>
internal sealed class RbacFeed(IResourceReader reader)
{
    private readonly RbacIndex _index = new();
    private readonly Lock _feeding = new();
    private readonly Seen<ClusterRole> _clusterRoles = new();
    private readonly Seen<Role> _roles = new();
    private readonly Seen<ClusterRoleBinding> _clusterRoleBindings = new();
    private readonly Seen<RoleBinding> _roleBindings = new();

    public RbacIndex Current()
    {
        if (IsCurrent())
        {
            return _index;
        }

        lock (_feeding)
        {
            _clusterRoles.Follow(reader, r => _index.SetRole("", r.Metadata.Name, r.Rules), (_, name) => _index.RemoveRole("", name));
            _roles.Follow(reader, r => _index.SetRole(r.Metadata.Namespace, r.Metadata.Name, r.Rules), _index.RemoveRole);
            _clusterRoleBindings.Follow(reader, b => _index.SetBinding("", b.Metadata.Name, b.RoleRef, b.Subjects), (_, name) => _index.RemoveBinding("", name));
            _roleBindings.Follow(reader, b => _index.SetBinding(b.Metadata.Namespace, b.Metadata.Name, b.RoleRef, b.Subjects), _index.RemoveBinding);
        }

        return _index;
    }

    private bool IsCurrent() =>
        _clusterRoles.IsCurrent(reader) && _roles.IsCurrent(reader) && _clusterRoleBindings.IsCurrent(reader) && _roleBindings.IsCurrent(reader);

    private sealed class Seen<T>
        where T : KubeObject, IApiType<T>, new()
    {
        private readonly Dictionary<(string Namespace, string Name), T> _objects = [];
        private long _generation = long.MinValue;

        public bool IsCurrent(IResourceReader reader) => Volatile.Read(ref _generation) == reader.Generation<T>();

        public void Follow(IResourceReader reader, Action<T> set, Action<string, string> remove)
        {
            var generation = reader.Generation<T>();
            if (generation == _generation)
            {
                return;
            }

            var left = new HashSet<(string, string)>(_objects.Keys);
            foreach (var value in reader.List<T>())
            {
                var key = (value.Metadata.Namespace, value.Metadata.Name);
                left.Remove(key);
                if (!_objects.TryGetValue(key, out var known) || !ReferenceEquals(known, value))
                {
                    _objects[key] = value;
                    set(value);
                }
            }

            foreach (var key in left)
            {
                _objects.Remove(key);
                remove(key.Item1, key.Item2);
            }

            Volatile.Write(ref _generation, generation);
        }
    }
}

using Hardway.Api;

namespace Hardway.ApiServer.Admission;

/// <summary>
/// Whether what may change an object is asked a second time. When a webhook or a policy has changed it, all plugins go once more: the built-in ones
/// always (they leave alone what is as they want it), of webhooks and policies those that ask for it and have been asked before the change.
/// One write's flow only.
/// </summary>
internal sealed class Reinvocation
{
    private readonly Dictionary<AdmissionPlugin, ReinvocationList> _lists = [];

    public bool IsSecondRound { get; private set; }

    public bool IsNeeded { get; private set; }

    /// <summary>Somebody changed the object.</summary>
    public void Need() => IsNeeded = true;

    public void BeginSecondRound() => IsSecondRound = true;

    public ReinvocationList Of(AdmissionPlugin plugin) => _lists.TryGetValue(plugin, out var list) ? list : _lists[plugin] = new ReinvocationList();
}

/// <summary>The webhooks or policies of one plugin that want to see changes made after them.</summary>
internal sealed class ReinvocationList
{
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);
    private readonly HashSet<string> _due = new(StringComparer.Ordinal);
    private ApiStruct? _seen;

    /// <summary>This one asks for it.</summary>
    public void Asked(string id) => _asked.Add(id);

    /// <summary>All who were asked so far are due again.</summary>
    public void Changed()
    {
        _due.UnionWith(_asked);
        _asked.Clear();
    }

    public bool IsDue(string id) => _due.Contains(id);

    /// <summary>At the end of the plugin's turn: what it saw last.</summary>
    public void Remember(ApiStruct? value) => _seen = _asked.Count + _due.Count > 0 ? value?.DeepClone() : null;

    /// <summary>At the beginning of its second turn: what others changed since makes all due.</summary>
    public void Compare(ApiStruct? value)
    {
        if (!ApiStruct.DeepEquals(_seen, value))
        {
            Changed();
        }
    }
}

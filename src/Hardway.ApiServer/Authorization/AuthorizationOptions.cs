using Hardway.Hosting;

namespace Hardway.ApiServer.Authorization;

/// <summary>What the command line says about who may do what.</summary>
internal sealed class AuthorizationOptions
{
    private static readonly string[] s_known = ["Node", "RBAC", "AlwaysAllow", "AlwaysDeny"];

    public IReadOnlyList<string> Modes { get; private set; } = ["AlwaysAllow"];

    public void AddFlags(FlagSet flags) =>
        flags.StringList("authorization-mode", "Who decides, in order: Node, RBAC, AlwaysAllow, AlwaysDeny.", v => Modes = v, "AlwaysAllow");

    /// <summary>What is wrong, one line each.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var mode in Modes)
        {
            if (!s_known.Contains(mode))
            {
                yield return $"--authorization-mode has \"{mode}\", which is not one of {string.Join(", ", s_known)}";
            }
        }

        if (Modes.Distinct().Count() != Modes.Count)
        {
            yield return "--authorization-mode names a mode twice";
        }

        if (Modes.Count == 0)
        {
            yield return "--authorization-mode is empty";
        }
    }
}

using Hardway.Api.Meta.V1;

namespace Hardway.ApiServer.Admission.Plugins.PodSecurity;

/// <summary>The levels of the Pod Security Standards, from none to most.</summary>
internal enum SecurityLevel
{
    Privileged,
    Baseline,
    Restricted,
}

/// <summary>A level in the form that it has in one minor version of Kubernetes; Minor is null for the newest.</summary>
internal readonly record struct LevelVersion(SecurityLevel Level, int? Minor)
{
    public static readonly LevelVersion Privileged = new(SecurityLevel.Privileged, null);

    public override string ToString() => Level.ToString().ToLowerInvariant() + ":" + (Minor is { } minor ? "v1." + minor : "latest");

    /// <summary>Does a rule that came with the version count?</summary>
    public bool Has(int minor) => Minor is null || Minor >= minor;
}

/// <summary>What a namespace's labels ask for: enforce refuses, audit notes, warn tells the client.</summary>
internal sealed record NamespacePolicy(LevelVersion Enforce, LevelVersion Audit, LevelVersion Warn)
{
    private const string Prefix = "pod-security.kubernetes.io/";

    public bool IsPrivileged => Enforce.Level == SecurityLevel.Privileged && Audit.Level == SecurityLevel.Privileged && Warn.Level == SecurityLevel.Privileged;

    public static bool TryParse(string level, string version, out LevelVersion parsed)
    {
        int? minor = null;
        var isGood = TryLevel(level, out var read) & (version == "latest" || TryMinor(version, out minor));
        parsed = new LevelVersion(read, minor);
        return isGood;
    }

    /// <summary>Reads the labels, over what a namespace without them has; what is wrong is reported by label and value.</summary>
    public static NamespacePolicy Of(ObjectMeta meta, NamespacePolicy? defaults = null, Action<string, string, string>? wrong = null)
    {
        var labels = meta.Labels;
        var enforce = Read("enforce", defaults?.Enforce);
        // What is enforced on Pods is told in advance to those who make what makes Pods.
        var warn = labels?.ContainsKey(Prefix + "warn") == true || labels?.ContainsKey(Prefix + "warn-version") == true || labels?.ContainsKey(Prefix + "enforce") != true || defaults?.Warn.Level >= enforce.Level ? Read("warn", defaults?.Warn) : enforce;
        return new NamespacePolicy(enforce, Read("audit", defaults?.Audit), warn);

        LevelVersion Read(string mode, LevelVersion? unlabelled)
        {
            var level = unlabelled?.Level ?? SecurityLevel.Privileged;
            if (labels?.GetValueOrDefault(Prefix + mode) is { } text && !TryLevel(text, out level))
            {
                wrong?.Invoke(Prefix + mode, text, "must be one of privileged, baseline, restricted");

                // What cannot be read must not be weaker than meant; a level for warnings alone does no harm.
                level = mode == "enforce" ? SecurityLevel.Restricted : SecurityLevel.Privileged;
            }

            var minor = labels?.ContainsKey(Prefix + mode) == true ? null : unlabelled?.Minor;
            if (labels?.GetValueOrDefault(Prefix + mode + "-version") is { } version && version != "latest" && !TryMinor(version, out minor))
            {
                wrong?.Invoke(Prefix + mode + "-version", version, "must be \"latest\" or \"v1.x\"");
            }

            return new LevelVersion(level, minor);
        }
    }

    private static bool TryLevel(string text, out SecurityLevel level)
    {
        level = text switch { "baseline" => SecurityLevel.Baseline, "restricted" => SecurityLevel.Restricted, _ => SecurityLevel.Privileged };
        return text is "privileged" or "baseline" or "restricted";
    }

    private static bool TryMinor(string text, out int? minor)
    {
        minor = null;
        if (!text.StartsWith("v1.", StringComparison.Ordinal) || text.Length > 6 || text[3] == '0' && text.Length > 4 || !text.AsSpan(3).ContainsAnyInRange('0', '9') || text.AsSpan(3).ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        minor = int.Parse(text.AsSpan(3));
        return true;
    }
}

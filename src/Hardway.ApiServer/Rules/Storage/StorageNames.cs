using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Storage;

/// <summary>Names that kinds of storage and of devices share.</summary>
internal static class StorageNames
{
    /// <summary>A driver's name: a DNS name of at most 63 characters, in any case.</summary>
    public static void CheckDriver(ErrorList errors, FieldPath path, string name)
    {
        if (name.Length == 0)
        {
            errors.Required(path);
            return;
        }

        if (name.Length > 63)
        {
            errors.TooLong(path, 63, "characters");
        }

        Names.CheckDnsSubdomain(errors, path, name.ToLowerInvariant());
    }
}

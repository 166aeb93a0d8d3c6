using Hardway.Api.Resource.V1;
using Hardway.Cel;

namespace Hardway.Scheduler.Plugins.DynamicResources;

/// <summary>Names and values of device attributes. Pure.</summary>
internal static class DeviceAttributes
{
    public static (string Domain, string Name) Split(string driver, string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (driver, name) : (name[..slash], name[(slash + 1)..]);
    }

    public static object? Value(DeviceAttribute attribute) =>
        attribute.Int is { } number ? number
        : attribute.Bool is { } flag ? flag
        : attribute.String is { } text ? text
        : attribute.Version is { } version ? CelTypes.SemVer(version) ?? (object)version : null;

    /// <summary>The value of a fully named attribute as a constraint compares it; null when the device has none.</summary>
    public static string? Comparable(PoolDevice device, string qualified)
    {
        var (domain, name) = Split(device.Driver, qualified);
        var attributes = device.Device.Attributes;
        DeviceAttribute? found = null;
        _ = attributes?.TryGetValue(qualified, out found) == true || (domain == device.Driver && attributes?.TryGetValue(name, out found) == true);
        return found is null ? null : $"{found.Int}|{found.Bool}|{found.String}|{found.Version}";
    }
}

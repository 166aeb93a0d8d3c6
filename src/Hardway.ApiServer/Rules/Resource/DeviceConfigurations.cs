using Hardway.Api;
using Hardway.Api.Resource.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Rules.Storage;

namespace Hardway.ApiServer.Rules.Resource;

/// <summary>Parameters for drivers, which only drivers understand.</summary>
internal static class DeviceConfigurations
{
    public const int Most = 32;
    private const int MostBytes = 10 << 10;

    public static void Check(OpaqueDeviceConfiguration? opaque, FieldPath path, ErrorList errors)
    {
        if (opaque is null)
        {
            errors.Required(path);
            return;
        }

        StorageNames.CheckDriver(errors, path.Child("driver"), opaque.Driver);
        var parameters = path.Child("parameters");
        if (opaque.Parameters is null)
        {
            errors.Required(parameters);
        }
        else if (opaque.Parameters is not IDictionary<string, object?> tree)
        {
            errors.Invalid(parameters, "<value omitted>", "must be an object");
        }
        else if (ApiJson.SerializeTree(tree).Length > MostBytes)
        {
            errors.TooLong(parameters, MostBytes);
        }
    }
}

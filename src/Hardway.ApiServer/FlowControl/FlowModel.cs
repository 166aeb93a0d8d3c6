using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.FlowControl;

/// <summary>The flow schemas in the order in which they are tried, each with its level. Immutable.</summary>
internal sealed class FlowModel
{
    private readonly CompiledSchema[] _schemas;

    public FlowModel(IEnumerable<CompiledSchema> schemas) =>
        _schemas = [.. schemas.OrderBy(s => s.Precedence).ThenBy(s => s.Name, StringComparer.Ordinal)];

    /// <summary>The first that fits; the last (catch-all) fits everything that is authenticated or anonymous.</summary>
    public CompiledSchema Classify(RequestInfo info, UserInfo user)
    {
        foreach (var schema in _schemas)
        {
            if (schema.Fits(info, user))
            {
                return schema;
            }
        }

        return _schemas[^1];
    }
}

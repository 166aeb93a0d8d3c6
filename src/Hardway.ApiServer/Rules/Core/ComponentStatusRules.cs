using Hardway.Api.Core.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

internal sealed class ComponentStatusRules : KindRules<ComponentStatus>
{
    public override string? ErrorName => "componentstatus";

    public override IReadOnlyList<TableColumn> Columns => [new("Status"), new("Message"), new("Error")];

    protected override IReadOnlyList<object?> Cells(ComponentStatus value, DateTimeOffset now)
    {
        var healthy = value.Conditions?.Find(c => c.Type == "Healthy");
        return [value.Metadata.Name, healthy?.Status switch { "True" => "Healthy", "False" => "Unhealthy", _ => "Unknown" }, healthy?.Message ?? "", healthy?.Error ?? ""];
    }
}

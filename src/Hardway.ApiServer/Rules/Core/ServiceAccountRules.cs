using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

internal sealed class ServiceAccountRules : KindRules<ServiceAccount>
{
    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Age")];

    protected override IReadOnlyList<object?> Cells(ServiceAccount value, DateTimeOffset now) =>
        [value.Metadata.Name, Ages.Since(value.Metadata.CreationTimestamp, now)];
}

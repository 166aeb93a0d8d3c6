using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

internal sealed class EventRules : KindRules<Event>
{
    public override IReadOnlyList<SelectableField> SelectableFields =>
    [
        new("involvedObject.kind"), new("involvedObject.namespace"), new("involvedObject.name"), new("involvedObject.uid"), new("involvedObject.apiVersion"),
        new("involvedObject.resourceVersion"), new("involvedObject.fieldPath"), new("reason"), new("reportingComponent"), new("source", "source.component"), new("type"),
    ];

    public override IReadOnlyList<TableColumn> Columns =>
    [
        new("Last Seen"), new("Type"), new("Reason"), new("Object"),
        new("Subobject", Priority: 1), new("Source", Priority: 1), new("Message"), new("First Seen", Priority: 1), new("Count", Priority: 1), new("Name", Priority: 1),
    ];

    public override bool AllowCreateOnUpdate => true;

    protected override void Validate(RuleContext context, Event value, ErrorList errors)
    {
        if (value.InvolvedObject.Namespace.Length > 0 && value.InvolvedObject.Namespace != value.Metadata.Namespace)
        {
            errors.Invalid(FieldPath.Of("involvedObject", "namespace"), value.InvolvedObject.Namespace, "does not match event.namespace");
        }
        else if (value.InvolvedObject.Namespace.Length == 0 && value.Metadata.Namespace is not ("default" or "kube-system"))
        {
            errors.Invalid(FieldPath.Of("involvedObject", "namespace"), value.InvolvedObject.Namespace, "does not match event.namespace");
        }
    }

    protected override IReadOnlyList<object?> Cells(Event value, DateTimeOffset now)
    {
        var first = value.FirstTimestamp ?? value.EventTime;
        var last = value.Series?.LastObservedTime ?? value.LastTimestamp ?? first;
        var source = value.Source.Component.Length > 0 ? value.Source.Component : value.ReportingComponent;
        return
        [
            value.Metadata.Name,
            Ages.Since(last, now),
            value.Type,
            value.Reason,
            value.InvolvedObject.Name.Length > 0 ? value.InvolvedObject.Kind.ToLowerInvariant() + "/" + value.InvolvedObject.Name : value.InvolvedObject.Kind.ToLowerInvariant(),
            value.InvolvedObject.FieldPath,
            value.Source.Host.Length > 0 ? source + ", " + value.Source.Host : source,
            value.Message.Trim(),
            Ages.Since(first, now),
            (long)(value.Series?.Count ?? Math.Max(value.Count, 1)),
            value.Metadata.Name,
        ];
    }
}

using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

internal sealed class PodTemplateRules : KindRules<PodTemplate>
{
    public override bool HasGeneration => true;

    public override IReadOnlyList<string> GenerationFields => ["template"];

    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Containers"), new("Images"), new("Pod Labels")];

    protected override void Default(PodTemplate value) => PodDefaults.ApplyToTemplate(value.Template.Spec);

    protected override void Validate(RuleContext context, PodTemplate value, ErrorList errors) =>
        PodSpecValidation.ValidateTemplate(value.Template, FieldPath.Of("template"), errors);

    protected override void Warn(RuleContext context, PodTemplate value, PodTemplate? old) => PodWarnings.OfTemplate(context, value, old, value.Template, FieldPath.Of("template"));

    protected override IReadOnlyList<object?> Cells(PodTemplate value, DateTimeOffset now) =>
        [value.Metadata.Name, TableText.Containers(value.Template.Spec), TableText.Images(value.Template.Spec), TableText.Of(value.Template.Metadata.Labels)];
}

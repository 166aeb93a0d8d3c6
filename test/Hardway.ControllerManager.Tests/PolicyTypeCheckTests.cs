using Hardway.Api.AdmissionRegistration.V1;

namespace Hardway.ControllerManager.Tests;

public sealed class PolicyTypeCheckTests
{
    [Theory]
    [InlineData("object.spec.replicas <= 3")]
    [InlineData("variables.most > object.spec.replicas")]
    [InlineData("object.spec.none == 1", "spec.validations[0].expression")]
    [InlineData("object.spec.replicas == 'x'", "spec.validations[0].expression")]
    [InlineData("object.metadata.labels.all(k, k.size() < 5)")]
    public void An_expression_that_does_not_fit_a_kind_of_the_policy_is_named(string expression, params string[] fields)
    {
        var policy = Policy("apps", "v1", "deployments", expression);
        Assert.Equal(fields, PolicyTypeCheck.Warnings(policy).Select(w => w.FieldRef));
        Assert.All(PolicyTypeCheck.Warnings(policy), w => Assert.StartsWith("apps/v1, Kind=Deployment: ERROR:", w.Warning, StringComparison.Ordinal));
    }

    [Fact]
    public void A_rule_with_a_star_names_no_kind() => Assert.Empty(PolicyTypeCheck.Warnings(Policy("apps", "v1", "*", "object.spec.none == 1")));

    private static ValidatingAdmissionPolicy Policy(string group, string version, string resource, string expression) => new()
    {
        Spec =
        {
            MatchConstraints = new MatchResources { ResourceRules = [new NamedRuleWithOperations { ApiGroups = [group], ApiVersions = [version], Resources = [resource], Operations = ["*"] }] },
            Variables = [new Variable { Name = "most", Expression = "3" }],
            Validations = [new Validation { Expression = expression }],
        },
    };
}

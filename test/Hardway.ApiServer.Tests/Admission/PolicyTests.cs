using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Admission.Dynamic;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Tests.Admission;

public sealed class PolicyTests
{
    private readonly MemoryReader _reader = new MemoryReader().With(new Namespace { Metadata = new ObjectMeta { Name = "ns", Labels = new() { ["kubernetes.io/metadata.name"] = "ns" } } });

    [Fact]
    public async Task A_policy_refuses_what_its_expressions_do_not_hold_for()
    {
        Policy("!('secret' in object.data)", "no secrets here");

        await ValidateAsync(new() { ["a"] = "x" });
        var refusal = await RefusedAsync(new() { ["secret"] = "x" });
        Assert.Equal((422, "Invalid"), (refusal.Code, refusal.Reason));
        Assert.EndsWith("denied request: no secrets here", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("resulted in error", (await RefusedAsync(null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_judges_only_what_it_is_about()
    {
        Policy("false", "never");

        await new ValidatingAdmissionPolicyPlugin(_reader, new ResourceScheme(RuntimeConfig.Default), new MastersAuthorizer()).ValidateAsync(Attributes(new ConfigMap(), "other"), TestContext.Current.CancellationToken);
        await RefusedAsync(new());
    }

    [Fact]
    public async Task Variables_params_and_the_authorizer_are_in_sight()
    {
        _reader.With(new ConfigMap { Metadata = new ObjectMeta { Namespace = "ns", Name = "limit" }, Data = new() { ["most"] = "2" } });
        Policy("variables.size <= int(params.data.most) || authorizer.group('').resource('secrets').namespace('ns').check('delete').allowed()", "too many", p =>
        {
            p.Spec.ParamKind = new ParamKind { ApiVersion = "v1", Kind = "ConfigMap" };
            p.Spec.Variables = [new Variable { Name = "size", Expression = "object.data.size()" }];
        }, b => b.Spec.ParamRef = new ParamRef { Name = "limit", ParameterNotFoundAction = "Deny" });

        await ValidateAsync(new() { ["a"] = "", ["b"] = "" });
        await RefusedAsync(new() { ["a"] = "", ["b"] = "", ["c"] = "" });
        await ValidateAsync(new() { ["a"] = "", ["b"] = "", ["c"] = "" }, new UserInfo("root") { Groups = [UserInfo.MastersGroup] });
    }

    [Fact]
    public async Task A_policy_that_only_warns_lets_pass()
    {
        Policy("false", "m", null, b => b.Spec.ValidationActions = ["Warn"]);

        await ValidateAsync(new());
    }

    [Fact]
    public async Task A_policy_changes_objects_by_configuration_and_by_patch()
    {
        _reader.With(
            new MutatingAdmissionPolicy
            {
                Metadata = new ObjectMeta { Name = "m" },
                Spec = new MutatingAdmissionPolicySpec
                {
                    FailurePolicy = "Fail",
                    MatchConstraints = Match("CREATE"),
                    Mutations =
                    [
                        new Mutation { PatchType = "ApplyConfiguration", ApplyConfiguration = new ApplyConfiguration { Expression = "Object{metadata: Object.metadata{labels: {'mutated': 'yes'}}}" } },
                        new Mutation { PatchType = "JSONPatch", JsonPatch = new Api.AdmissionRegistration.V1.JSONPatch { Expression = "[JSONPatch{op: 'add', path: '/metadata/annotations', value: {'patched': object.metadata.labels['mutated']}}]" } },
                    ],
                },
            },
            new MutatingAdmissionPolicyBinding { Metadata = new ObjectMeta { Name = "m" }, Spec = new MutatingAdmissionPolicyBindingSpec { PolicyName = "m" } });
        var value = new ConfigMap { Metadata = new ObjectMeta { Name = "c", Namespace = "ns" }, Data = new() { ["k"] = "v" } };

        await new MutatingAdmissionPolicyPlugin(_reader, new ResourceScheme(RuntimeConfig.Default), new MastersAuthorizer()).AdmitAsync(Attributes(value, "ns"), TestContext.Current.CancellationToken);

        Assert.Equal("yes", value.Metadata.Labels!["mutated"]);
        Assert.Equal("yes", value.Metadata.Annotations!["patched"]);
        Assert.Equal("v", value.Data["k"]);
    }

    [Fact]
    public async Task A_webhook_that_cannot_be_reached_refuses_or_is_ignored_as_it_says()
    {
        var webhook = new ValidatingWebhook
        {
            Name = "w.test",
            ClientConfig = new WebhookClientConfig { Service = new ServiceReference { Namespace = "ns", Name = "none" } },
            Rules = [new RuleWithOperations { Operations = ["*"], ApiGroups = [""], ApiVersions = ["v1"], Resources = ["configmaps"] }],
            FailurePolicy = "Fail",
            SideEffects = "None",
        };
        _reader.With(new ValidatingWebhookConfiguration { Metadata = new ObjectMeta { Name = "w" }, Webhooks = [webhook] });
        using var client = new WebhookClient(_reader);
        var plugin = new ValidatingWebhookPlugin(_reader, new ResourceScheme(RuntimeConfig.Default), new MastersAuthorizer(), client);

        var refusal = await Assert.ThrowsAsync<ApiException>(async () => await plugin.ValidateAsync(Attributes(new ConfigMap(), "ns"), TestContext.Current.CancellationToken));
        Assert.Equal(500, refusal.Code);
        Assert.Contains("w.test", refusal.Message, StringComparison.Ordinal);

        webhook.FailurePolicy = "Ignore";
        await plugin.ValidateAsync(Attributes(new ConfigMap(), "ns"), TestContext.Current.CancellationToken);
    }

    private void Policy(string expression, string message, Action<ValidatingAdmissionPolicy>? change = null, Action<ValidatingAdmissionPolicyBinding>? bind = null)
    {
        var policy = new ValidatingAdmissionPolicy
        {
            Metadata = new ObjectMeta { Name = "p" },
            Spec = new ValidatingAdmissionPolicySpec { FailurePolicy = "Fail", MatchConstraints = Match("CREATE", "UPDATE"), Validations = [new Validation { Expression = expression, Message = message }] },
        };
        change?.Invoke(policy);
        var binding = new ValidatingAdmissionPolicyBinding
        {
            Metadata = new ObjectMeta { Name = "b" },
            Spec = new ValidatingAdmissionPolicyBindingSpec
            {
                PolicyName = "p",
                ValidationActions = ["Deny"],
                MatchResources = new MatchResources { NamespaceSelector = new LabelSelector { MatchLabels = new() { ["kubernetes.io/metadata.name"] = "ns" } } },
            },
        };
        bind?.Invoke(binding);
        _reader.With(policy, binding);
    }

    private static MatchResources Match(params string[] operations) =>
        new() { ResourceRules = [new NamedRuleWithOperations { Operations = [.. operations], ApiGroups = [""], ApiVersions = ["v1"], Resources = ["configmaps"] }] };

    private async Task ValidateAsync(Dictionary<string, string>? data, UserInfo? user = null) =>
        await new ValidatingAdmissionPolicyPlugin(_reader, new ResourceScheme(RuntimeConfig.Default), new MastersAuthorizer()).ValidateAsync(Attributes(new ConfigMap { Data = data }, "ns", user), TestContext.Current.CancellationToken);

    private async Task<ApiException> RefusedAsync(Dictionary<string, string>? data) => await Assert.ThrowsAsync<ApiException>(async () => await ValidateAsync(data));

    private static AdmissionAttributes Attributes(KubeObject value, string ns, UserInfo? user = null) => new()
    {
        Operation = AdmissionOperation.Create,
        Group = "",
        Version = "v1",
        Resource = "configmaps",
        Kind = "ConfigMap",
        Namespace = ns,
        Name = "c",
        Object = value,
        User = user ?? new UserInfo("jane"),
    };
}

using System.Text.Json;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Admission.Plugins.Pods;
using Hardway.ApiServer.Configuration;
using Hardway.ApiServer.Errors;
using Hardway.Hosting;

namespace Hardway.ApiServer.Admission.Plugins.Policy;

/// <summary>How the server of image policies is asked. Immutable.</summary>
internal sealed record ImagePolicyConfig(string KubeConfigFile, TimeSpan AllowTtl, TimeSpan DenyTtl, bool DefaultAllow)
{
    public static ImagePolicyConfig Read(ConfigObject config)
    {
        config.Inert("retryBackoff");
        return config.String("kubeConfigFile") is { Length: > 0 } file
            ? new ImagePolicyConfig(file, TimeSpan.FromSeconds(config.Int("allowTTL", 300, 0, 1800)), TimeSpan.FromSeconds(config.Int("denyTTL", 30, 0, 1800)), config.Bool("defaultAllow"))
            : throw config.Wrong("imagePolicy.kubeConfigFile", "is missing");
    }
}

/// <summary>Asks another server whether a Pod's images may run (ImageReview of imagepolicy.k8s.io/v1alpha1). Off by default.</summary>
internal sealed class ImagePolicyWebhook(ImagePolicyConfig config, TimeProvider time) : AdmissionPlugin
{
    private const string AnnotationMark = ".image-policy.k8s.io/";
    private const string FailedOpen = "alpha.image-policy.k8s.io/failed-open";
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);
    private readonly WebhookConnection _connection = WebhookConnection.Read(config.KubeConfigFile);
    private readonly AnswerCache<(bool Allowed, string Reason)> _answers = new(time);

    public override string Name => "ImagePolicyWebhook";

    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes is not { Group: "", Resource: "pods", Subresource: "" or "ephemeralcontainers", Object: Pod pod } || (attributes.OldObject is Pod old && PodSpecs.Images(pod).SequenceEqual(PodSpecs.Images(old))))
        {
            return;
        }

        var body = Encode(pod, attributes.Namespace);
        var key = AnswerCache<(bool, string)>.KeyOf(body);
        if (!_answers.TryGet(key, out var answer))
        {
            try
            {
                answer = Read(await _connection.PostAsync(body, s_timeout, cancellationToken).ConfigureAwait(false));
                _answers.Put(key, answer, answer.Allowed ? config.AllowTtl : config.DenyTtl);
            }
            catch (Exception e) when (e is HttpRequestException or JsonException or InvalidOperationException or KeyNotFoundException)
            {
                if (!config.DefaultAllow)
                {
                    throw Statuses.Forbidden("", "pods", attributes.Name, "the image policy's server did not answer: " + e.Message);
                }

                attributes.Annotate(FailedOpen, "true");
                return;
            }
        }

        if (!answer.Allowed)
        {
            throw Statuses.Forbidden("", "pods", attributes.Name, "image policy webhook backend denied one or more images" + (answer.Reason.Length > 0 ? ": " + answer.Reason : ""));
        }
    }

    private static byte[] Encode(Pod pod, string ns) => ApiJson.SerializeTree(new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["apiVersion"] = "imagepolicy.k8s.io/v1alpha1",
        ["kind"] = "ImageReview",
        ["spec"] = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["containers"] = PodSpecs.Images(pod).Select(image => (object?)new Dictionary<string, object?>(StringComparer.Ordinal) { ["image"] = image }).ToList(),
            ["annotations"] = (pod.Metadata.Annotations ?? []).Where(a => a.Key.Contains(AnnotationMark, StringComparison.Ordinal)).ToDictionary(a => a.Key, a => (object?)a.Value, StringComparer.Ordinal),
            ["namespace"] = ns,
        },
    });

    private static (bool Allowed, string Reason) Read(byte[] answer)
    {
        using var document = JsonDocument.Parse(answer, new JsonDocumentOptions { MaxDepth = 16 });
        var status = document.RootElement.GetProperty("status");
        return (status.TryGetProperty("allowed", out var allowed) && allowed.GetBoolean(), status.TryGetProperty("reason", out var reason) ? reason.GetString() ?? "" : "");
    }
}

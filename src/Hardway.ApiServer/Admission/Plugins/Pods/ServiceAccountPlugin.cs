using System.Security.Cryptography;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.Pods;

/// <summary>
/// Every Pod runs as a service account of its namespace (default where it names none). Unless the Pod or the account says no, each container
/// gets the account's token, the cluster's authorities and the namespace's name mounted where clients look for them.
/// </summary>
internal sealed class ServiceAccountPlugin(IResourceReader reader) : AdmissionPlugin
{
    private const string DefaultName = "default";
    private const string MountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
    private const string VolumePrefix = "kube-api-access-";
    private const string SuffixLetters = "bcdfghjklmnpqrstvwxz2456789";
    private const string EnforceAnnotation = "kubernetes.io/enforce-mountable-secrets";

    // An hour, and 7 s that mark requests which may be given a longer life (see TokenRequestResource).
    private const long TokenSeconds = 3607;
    private const int FileMode = 0b110_100_100;

    public override string Name => "ServiceAccount";

    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Operation != AdmissionOperation.Create || PodSpecs.PodOf(attributes) is not { } pod)
        {
            return;
        }

        if (PodSpecs.IsMirror(pod))
        {
            CheckMirror(attributes, pod);
            return;
        }

        var spec = pod.Spec;
        if (spec.ServiceAccountName.Length == 0)
        {
            spec.ServiceAccountName = spec.ServiceAccount.Length > 0 ? spec.ServiceAccount : DefaultName;
        }

        spec.ServiceAccount = spec.ServiceAccountName;
        var account = await FindAsync(attributes, spec.ServiceAccountName, cancellationToken).ConfigureAwait(false);
        if (spec.AutomountServiceAccountToken ?? account.AutomountServiceAccountToken ?? true)
        {
            Mount(spec);
        }

        if (spec.ImagePullSecrets is not { Count: > 0 } && account.ImagePullSecrets is { Count: > 0 } secrets)
        {
            spec.ImagePullSecrets = [.. secrets.Select(s => new LocalObjectReference { Name = s.Name })];
        }
    }

    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Operation != AdmissionOperation.Create || PodSpecs.PodOf(attributes) is not { } pod)
        {
            return;
        }

        if (PodSpecs.IsMirror(pod))
        {
            CheckMirror(attributes, pod);
            return;
        }

        var account = await FindAsync(attributes, pod.Spec.ServiceAccountName, cancellationToken).ConfigureAwait(false);
        if (account.Metadata.Annotations?.GetValueOrDefault(EnforceAnnotation) == "true")
        {
            CheckSecrets(attributes, pod, account);
        }
    }

    private async ValueTask<ServiceAccount> FindAsync(AdmissionAttributes attributes, string name, CancellationToken cancellationToken) =>
        reader.Get<ServiceAccount>(attributes.Namespace, name)
        ?? await reader.GetFreshAsync<ServiceAccount>(attributes.Namespace, name, cancellationToken).ConfigureAwait(false)
        ?? throw Refuse(attributes, $"error looking up service account {attributes.Namespace}/{name}: serviceaccount \"{name}\" not found");

    private static void Mount(PodSpec spec)
    {
        var volumeName = spec.Volumes?.FirstOrDefault(v => v.Name.StartsWith(VolumePrefix, StringComparison.Ordinal))?.Name;
        var isThere = volumeName is not null;
        volumeName ??= VolumePrefix + RandomNumberGenerator.GetString(SuffixLetters, 5);
        var isUsed = false;
        foreach (var container in (spec.InitContainers ?? []).Concat(spec.Containers ?? []))
        {
            if (container.VolumeMounts?.Any(m => m.MountPath == MountPath) ?? false)
            {
                continue;
            }

            (container.VolumeMounts ??= []).Add(new VolumeMount { Name = volumeName, ReadOnly = true, MountPath = MountPath });
            isUsed = true;
        }

        if (isUsed && !isThere)
        {
            (spec.Volumes ??= []).Add(TokenVolume(volumeName));
        }
    }

    private static Volume TokenVolume(string name) => new()
    {
        Name = name,
        Projected = new ProjectedVolumeSource
        {
            DefaultMode = FileMode,
            Sources =
            [
                new VolumeProjection { ServiceAccountToken = new ServiceAccountTokenProjection { Path = "token", ExpirationSeconds = TokenSeconds } },
                new VolumeProjection { ConfigMap = new ConfigMapProjection { Name = "kube-root-ca.crt", Items = [new KeyToPath { Key = "ca.crt", Path = "ca.crt" }] } },
                new VolumeProjection
                {
                    DownwardAPI = new DownwardAPIProjection
                    {
                        Items = [new DownwardAPIVolumeFile { Path = "namespace", FieldRef = new ObjectFieldSelector { ApiVersion = "v1", FieldPath = "metadata.namespace" } }],
                    },
                },
            ],
        },
    };

    /// <summary>A static Pod's image in the API can use nothing of the API.</summary>
    private static void CheckMirror(AdmissionAttributes attributes, Pod pod)
    {
        if (pod.Spec.ServiceAccountName.Length > 0)
        {
            throw Refuse(attributes, "a mirror pod may not reference service accounts");
        }

        if (Authorization.Node.PodReferences.Secrets(pod).Any())
        {
            throw Refuse(attributes, "a mirror pod may not reference secrets");
        }

        if (pod.Spec.Volumes?.Any(v => v.Projected?.Sources?.Any(s => s.ServiceAccountToken is not null) ?? false) ?? false)
        {
            throw Refuse(attributes, "a mirror pod may not use ServiceAccountToken volume projections");
        }
    }

    private static void CheckSecrets(AdmissionAttributes attributes, Pod pod, ServiceAccount account)
    {
        var mountable = (account.Secrets ?? []).Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        var pull = (account.ImagePullSecrets ?? []).Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in Authorization.Node.PodReferences.Secrets(pod))
        {
            if (!mountable.Contains(name) && !pull.Contains(name))
            {
                throw Refuse(attributes, $"the secret \"{name}\" is not one that the service account {account.Metadata.Name} may use");
            }
        }
    }

    private static ApiException Refuse(AdmissionAttributes attributes, string why) => Statuses.Forbidden("", "pods", attributes.Name, why);
}

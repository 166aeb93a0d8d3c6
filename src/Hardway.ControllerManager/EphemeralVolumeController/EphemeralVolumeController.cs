using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Makes the claims of Pods' ephemeral volumes, named Pod-volume and owned by the Pod, so that they go with it. Keys are Pods.</summary>
internal sealed class EphemeralVolumeController : ClusterController
{
    private const string Account = "ephemeral-volume-controller";
    private readonly EventRecorder _events;
    private readonly Informer<Pod> _pods;
    private readonly Informer<PersistentVolumeClaim> _claims;

    public EphemeralVolumeController(ControllerContext context) : base("ephemeral-volume-controller", Account, context)
    {
        _events = EventsAs("ephemeral_volume");
        _pods = Watch<Pod>().AddPodIndexes();
        _claims = Watch<PersistentVolumeClaim>();
        _pods.AddHandler(added: Changed);
        _claims.AddHandler(deleted: c => { if (OwnerReferences.ControllerOf(c) is { Kind: "Pod" } owner) Queue.Add(KubeKey.Of(c.Metadata.Namespace, owner.Name)); });
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_pods.Store.Get(key) is not { } pod || PodState.IsTerminating(pod)) return;
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            if (volume.Ephemeral?.VolumeClaimTemplate is not { } template) continue;
            var name = $"{pod.Metadata.Name}-{volume.Name}";
            if (_claims.Store.Get(pod.Metadata.Namespace, name) is { } existing)
            {
                if (!OwnerReferences.IsControlledBy(existing, pod)) throw new InvalidOperationException($"PVC {name} was not created for Pod {key}: it is not its owner");
                continue;
            }
            var claim = new PersistentVolumeClaim
            {
                Metadata = new ObjectMeta { Namespace = pod.Metadata.Namespace, Name = name, Labels = template.Metadata.Labels, Annotations = template.Metadata.Annotations, OwnerReferences = [OwnerReferences.Controlling(pod)] },
                Spec = template.Spec.Clone(),
            };
            try
            {
                await Client.CreateAsync(claim, cancellationToken);
            }
            catch (ApiException e) when (e.IsAlreadyExists)
            {
            }
            catch (ApiException e)
            {
                _events.Warning(pod, "FailedCreate", $"create PVC {name}: {e.Message}");
                throw;
            }
        }
    }

    private void Changed(Pod pod)
    {
        if ((pod.Spec.Volumes ?? []).Exists(v => v.Ephemeral is not null)) Queue.Add(KubeKey.Of(pod));
    }
}

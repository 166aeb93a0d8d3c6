using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf.Collections;
using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.Grpc;
using Hardway.Kubelet.Csi.Wire;
using Hardway.Kubelet.Sources;
using Hardway.Kubelet.Volumes;
using Hardway.Linux.Mounts;

namespace Hardway.Kubelet.Csi;

/// <summary>
/// Volumes of CSI drivers on this node:
/// <code>
///   attached (by the attacher) ─► NodeStage, once a volume ─► NodePublish, once a Pod
///                                 NodeUnstage, with the last ◄─ NodeUnpublish
/// </code>
/// Before a driver is called, what is needed to undo it is noted on disk (<see cref="VolumeData"/>): nothing else is remembered, so a
/// kubelet that was restarted at any point can take everything away. One step a volume at a time; safe for many threads.
/// </summary>
internal sealed class CsiVolumes(CsiDrivers drivers, ApiObjects objects, PodDirectories directories, string nodeName)
{
    private const string Plugin = "kubernetes.io~csi";
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _locks = new(StringComparer.Ordinal);

    /// <summary>What the attacher must leave here: names of the attachable volumes of this node's Pods, as Node.status.volumesInUse has them.</summary>
    public IReadOnlyList<string> InUse() =>
    [
        .. Published().Select(p => p.Data).Where(d => d.AttachmentId.Length > 0).Select(d => $"kubernetes.io/csi/{d.Driver}^{d.VolumeHandle}").Distinct().Order(StringComparer.Ordinal),
    ];

    public async Task<MountedVolume> SetUpAsync(Pod pod, PersistentVolume volume, CSIPersistentVolumeSource source, PersistentVolumeClaim claim, bool readOnly, CancellationToken stop)
    {
        var driver = Driver(source.Driver);
        var about = await objects.CsiDriverAsync(source.Driver, stop);
        var block = volume.Spec.VolumeMode == "Block";
        var data = new VolumeData(source.Driver, source.VolumeHandle, about?.Spec.AttachRequired == false ? "" : AttachmentName(source), false, volume.Metadata.Name, nodeName);
        var place = directories.Volume(pod, Plugin, volume.Metadata.Name);
        // Noted first: the attacher learns from it that the volume is in use here.
        data.Write(place);
        var context = data.AttachmentId.Length == 0 ? null : await AttachedAsync(data.AttachmentId, source.VolumeHandle, stop);
        var capability = Capability(volume, source, driver, pod, block);
        return await LockedAsync(data, async () =>
        {
            var staging = Staging(data);
            if (driver.Stages)
                await StageAsync(driver, data, staging, capability, source, context, stop);
            var request = new NodePublishVolumeRequest
            {
                VolumeId = source.VolumeHandle,
                StagingTargetPath = driver.Stages ? staging : "",
                TargetPath = Target(place),
                VolumeCapability = capability,
                Readonly = readOnly,
            };
            Fill(request.PublishContext, context);
            Fill(request.VolumeContext, source.VolumeAttributes);
            await DescribePodAsync(request, pod, about, false, stop);
            Fill(request.Secrets, await SecretAsync(source.NodePublishSecretRef?.Namespace, source.NodePublishSecretRef?.Name, stop));
            await PublishAsync(driver, request, about, block, stop);
            if (!block && !readOnly && OwnsByGroup(about, source.FsType, volume.Spec.AccessModes ?? []) && !driver.MountsForGroup)
                VolumeOwnership.Give(pod, request.TargetPath);
            return new MountedVolume(request.TargetPath, readOnly, block);
        }, stop);
    }

    public async Task<MountedVolume> SetUpInlineAsync(Pod pod, string name, CSIVolumeSource source, CancellationToken stop)
    {
        var driver = Driver(source.Driver);
        var about = await objects.CsiDriverAsync(source.Driver, stop);
        if (about?.Spec.VolumeLifecycleModes?.Contains("Ephemeral") != true)
            throw new VolumeException($"CSI driver {source.Driver} does not serve inline volumes (its CSIDriver's volumeLifecycleModes does not have Ephemeral)");
        var handle = "csi-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}{pod.Metadata.Namespace}{pod.Metadata.Name}{pod.Metadata.Uid}")));
        var data = new VolumeData(source.Driver, handle, "", true, name, nodeName);
        var place = directories.Volume(pod, Plugin, name);
        data.Write(place);
        var request = new NodePublishVolumeRequest
        {
            VolumeId = handle,
            TargetPath = Target(place),
            Readonly = source.ReadOnly == true,
            VolumeCapability = new VolumeCapability
            {
                Mount = new VolumeCapability.Types.MountVolume { FsType = source.FsType ?? "" },
                AccessMode = new VolumeCapability.Types.AccessMode { Mode = VolumeCapability.Types.AccessMode.Types.Mode.SingleNodeWriter },
            },
        };
        Fill(request.VolumeContext, source.VolumeAttributes);
        await DescribePodAsync(request, pod, about, true, stop);
        Fill(request.Secrets, await SecretAsync(pod.Metadata.Namespace, source.NodePublishSecretRef?.Name, stop));
        return await LockedAsync(data, async () =>
        {
            await PublishAsync(driver, request, about, false, stop);
            return new MountedVolume(request.TargetPath, request.Readonly);
        }, stop);
    }

    /// <summary>Unpublishes all volumes of a Pod, whatever is known of it, and unstages those that no other Pod of this node has.</summary>
    /// <exception cref="IOException">The driver is not there or has failed; to be tried again, for the volume's files must not be deleted.</exception>
    public async Task TearDownAsync(string uid, CancellationToken stop)
    {
        foreach (var (_, place, data) in Published().Where(p => p.Uid == uid).ToList())
        {
            await LockedAsync(data, async () =>
            {
                // What was noted and never came to a mount needs no driver that is not there (any more).
                if (drivers.Find(data.Driver) != null || MountTable.IsMountPoint(Target(place)))
                    await CallAsync(data, d => d.Client.UnpublishAsync(data.VolumeHandle, Target(place), stop));
                VolumeData.Delete(place);
                await UnstageIfLastAsync(data, stop);
                return true;
            }, stop);
        }
    }

    /// <summary>Unstages what a crash has left staged without a Pod.</summary>
    public async Task SweepAsync(CancellationToken stop)
    {
        var root = directories.CsiStaging;
        foreach (var directory in Directory.Exists(root) ? Directory.GetDirectories(root).SelectMany(Directory.GetDirectories).ToList() : [])
        {
            if (VolumeData.Read(directory) is { } data)
                await LockedAsync(data, async () => { await UnstageIfLastAsync(data, stop); return true; }, stop);
        }
    }

    private async Task UnstageIfLastAsync(VolumeData data, CancellationToken stop)
    {
        var staging = Staging(data);
        var directory = Path.GetDirectoryName(staging)!;
        if (data.Ephemeral || VolumeData.Read(directory) == null || Published().Any(p => p.Data.Driver == data.Driver && p.Data.VolumeHandle == data.VolumeHandle))
            return;
        await CallAsync(data, d => d.Client.UnstageAsync(data.VolumeHandle, staging, stop));
        if (MountTable.Below(directory).Count > 0)
            throw new IOException($"volume {data.VolumeHandle} is still mounted at {staging} after the driver unstaged it");
        Directory.Delete(directory, true);
    }

    private async Task StageAsync(CsiDriver driver, VolumeData data, string staging, VolumeCapability capability, CSIPersistentVolumeSource source, IReadOnlyDictionary<string, string>? context, CancellationToken stop)
    {
        data.Write(Path.GetDirectoryName(staging)!);
        Directory.CreateDirectory(staging, (UnixFileMode)0x1E8);
        var request = new NodeStageVolumeRequest { VolumeId = source.VolumeHandle, StagingTargetPath = staging, VolumeCapability = capability };
        Fill(request.PublishContext, context);
        Fill(request.VolumeContext, source.VolumeAttributes);
        Fill(request.Secrets, await SecretAsync(source.NodeStageSecretRef?.Namespace, source.NodeStageSecretRef?.Name, stop));
        await CallAsync(data, d => d.Client.StageAsync(request, stop));
    }

    /// <summary>Published once; again only when the driver wants that (to bring what it wrote up to date).</summary>
    private static async Task PublishAsync(CsiDriver driver, NodePublishVolumeRequest request, CSIDriver? about, bool block, CancellationToken stop)
    {
        var there = block ? File.Exists(request.TargetPath) : MountTable.IsMountPoint(request.TargetPath);
        if (there && about?.Spec.RequiresRepublish != true)
            return;
        try
        {
            await driver.Client.PublishAsync(request, stop);
        }
        catch (GrpcException e)
        {
            throw new VolumeException($"CSI driver {driver.Name} could not publish volume {request.VolumeId}: {e.Detail}");
        }
    }

    private async Task CallAsync(VolumeData data, Func<CsiDriver, Task> call)
    {
        try
        {
            await call(Driver(data.Driver));
        }
        catch (GrpcException e)
        {
            throw new IOException($"CSI driver {data.Driver}, volume {data.VolumeHandle}: {e.Detail}", e);
        }
        catch (VolumeException e)
        {
            throw new IOException($"volume {data.VolumeHandle}: {e.Message}", e);
        }
    }

    private CsiDriver Driver(string name) => drivers.Find(name) ?? throw new VolumeException($"CSI driver {name} is not registered on this node");

    private async Task<IReadOnlyDictionary<string, string>> AttachedAsync(string attachment, string handle, CancellationToken stop)
    {
        var found = await objects.AttachmentAsync(attachment, stop);
        if (found?.Status.Attached == true)
            return found.Status.AttachmentMetadata ?? [];
        throw new VolumeException($"volume {handle} is not attached to this node yet{(found?.Status.AttachError?.Message is { Length: > 0 } error ? $": {error}" : "")}");
    }

    private async Task DescribePodAsync(NodePublishVolumeRequest request, Pod pod, CSIDriver? about, bool ephemeral, CancellationToken stop)
    {
        var context = request.VolumeContext;
        if (about?.Spec.PodInfoOnMount == true)
        {
            context["csi.storage.k8s.io/pod.name"] = pod.Metadata.Name;
            context["csi.storage.k8s.io/pod.namespace"] = pod.Metadata.Namespace;
            context["csi.storage.k8s.io/pod.uid"] = pod.Metadata.Uid;
            context["csi.storage.k8s.io/serviceAccount.name"] = pod.Spec.ServiceAccountName;
            context["csi.storage.k8s.io/ephemeral"] = ephemeral ? "true" : "false";
        }
        if (about?.Spec.TokenRequests is not { Count: > 0 } tokens)
            return;
        var json = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var wanted in tokens)
        {
            var (token, expires) = await objects.TokenAsync(pod, wanted.Audience, wanted.ExpirationSeconds ?? 3600, stop);
            json[wanted.Audience] = new Dictionary<string, object?> { ["token"] = token, ["expirationTimestamp"] = expires.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture) };
        }
        var text = Encoding.UTF8.GetString(Api.ApiJson.SerializeTree(json));
        (about.Spec.ServiceAccountTokenInSecrets == true ? request.Secrets : context)["csi.storage.k8s.io/serviceAccount.tokens"] = text;
    }

    private static VolumeCapability Capability(PersistentVolume volume, CSIPersistentVolumeSource source, CsiDriver driver, Pod pod, bool block)
    {
        var capability = new VolumeCapability { AccessMode = new VolumeCapability.Types.AccessMode { Mode = AccessMode(volume.Spec.AccessModes ?? [], driver.TellsSingleWriters) } };
        if (block)
        {
            capability.Block = new VolumeCapability.Types.BlockVolume();
            return capability;
        }
        capability.Mount = new VolumeCapability.Types.MountVolume { FsType = source.FsType };
        capability.Mount.MountFlags.Add(volume.Spec.MountOptions ?? []);
        if (driver.MountsForGroup && pod.Spec.SecurityContext?.FsGroup is { } group)
            capability.Mount.VolumeMountGroup = group.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return capability;
    }

    internal static VolumeCapability.Types.AccessMode.Types.Mode AccessMode(List<string> modes, bool single) => (modes is [var first, ..] ? first : "") switch
    {
        "ReadOnlyMany" => VolumeCapability.Types.AccessMode.Types.Mode.MultiNodeReaderOnly,
        "ReadWriteMany" => VolumeCapability.Types.AccessMode.Types.Mode.MultiNodeMultiWriter,
        "ReadWriteOncePod" when single => VolumeCapability.Types.AccessMode.Types.Mode.SingleNodeSingleWriter,
        "ReadWriteOnce" when single => VolumeCapability.Types.AccessMode.Types.Mode.SingleNodeMultiWriter,
        _ => VolumeCapability.Types.AccessMode.Types.Mode.SingleNodeWriter,
    };

    private static bool OwnsByGroup(CSIDriver? about, string fileSystem, List<string> modes) => (about?.Spec.FsGroupPolicy ?? "ReadWriteOnceWithFSType") switch
    {
        "File" => true,
        "None" => false,
        _ => fileSystem.Length > 0 && modes.Exists(m => m is "ReadWriteOnce" or "ReadWriteOncePod"),
    };

    private async Task<Dictionary<string, string>?> SecretAsync(string? ns, string? name, CancellationToken stop)
    {
        if (string.IsNullOrEmpty(ns) || string.IsNullOrEmpty(name))
            return null;
        var secret = await objects.SecretAsync(ns, name, stop) ?? throw new VolumeException($"secret \"{ns}/{name}\" not found");
        return (secret.Data ?? []).ToDictionary(d => d.Key, d => Encoding.UTF8.GetString(d.Value ?? []), StringComparer.Ordinal);
    }

    /// <summary>Whatever is noted as published below the Pods' directories.</summary>
    private IEnumerable<(string Uid, string Place, VolumeData Data)> Published()
    {
        foreach (var pod in Directory.Exists(directories.Pods) ? Directory.GetDirectories(directories.Pods) : [])
        {
            var volumes = $"{pod}/volumes/{Plugin}";
            foreach (var place in Directory.Exists(volumes) ? Directory.GetDirectories(volumes) : [])
            {
                if (VolumeData.Read(place) is { } data)
                    yield return (Path.GetFileName(pod), place, data);
            }
        }
    }

    private async Task<T> LockedAsync<T>(VolumeData data, Func<Task<T>> step, CancellationToken stop)
    {
        var one = _locks.GetOrAdd($"{data.Driver}^{data.VolumeHandle}", _ => new SemaphoreSlim(1));
        await one.WaitAsync(stop);
        try
        {
            return await step();
        }
        finally
        {
            one.Release();
        }
    }

    private string AttachmentName(CSIPersistentVolumeSource source) =>
        "csi-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source.VolumeHandle + source.Driver + nodeName)));

    private string Staging(VolumeData data) => $"{directories.CsiStaging}/{data.Driver}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(data.VolumeHandle)))}/globalmount";

    private static string Target(string place) => place + "/mount";

    private static void Fill(MapField<string, string> target, IEnumerable<KeyValuePair<string, string>>? values)
    {
        foreach (var (key, value) in values ?? [])
            target[key] = value;
    }
}

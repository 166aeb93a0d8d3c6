using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.Client;
using Hardway.Kubelet.Csi;
using Hardway.Kubelet.Sources;
using Hardway.Kubelet.Volumes;
using Hardway.Linux.Mounts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hardway.Kubelet.Tests.Csi;

/// <summary>Registration, staging and publishing with a driver of the tests' own: real gRPC, real mounts.</summary>
public sealed class CsiVolumesTests : IAsyncLifetime
{
    private readonly string _root = Directory.CreateTempSubdirectory("hardway-csi-").FullName;
    private readonly StubApi _api = new();
    private readonly CsiDrivers _drivers = new();
    private readonly KubeClient _client;
    private readonly PodDirectories _directories;
    private readonly PluginWatcher _watcher;
    private CsiTestDriver? _driver;

    public CsiVolumesTests()
    {
        _client = _api.NewClient();
        _directories = new PodDirectories(_root);
        _watcher = new PluginWatcher(_directories.PluginRegistry, _drivers, new CsiNodeWriter(_client, "n"), TimeProvider.System, NullLogger.Instance);
        var node = new Node { Kind = "Node", ApiVersion = "v1" };
        (node.Metadata.Name, node.Metadata.Uid) = ("n", "node-uid");
        _api.Put("/api/v1/nodes/n", node);
    }

    public async ValueTask InitializeAsync()
    {
        if (Environment.UserName != "root")
        {
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") == null, "mounting needs root");
            Assert.Fail("mounting needs root");
        }
        Directory.CreateDirectory(_directories.PluginRegistry);
        _driver = await CsiTestDriver.StartAsync(Socket, _root + "/store");
    }

    public async ValueTask DisposeAsync()
    {
        if (_driver != null)
            await _driver.DisposeAsync();
        _drivers.Dispose();
        _client.Dispose();
        _api.Dispose();
        Mounter.UnmountBelow(_root);
        Directory.Delete(_root, true);
    }

    private string Socket => _directories.PluginRegistry + "/test.sock";

    private CsiVolumes NewVolumes() => new(_drivers, new ApiObjects(_client, null, null, "n"), _directories, "n");

    private static Pod Pod(string uid)
    {
        var pod = PodMaker.Parse("containers:\n- {name: a, image: x}");
        (pod.Metadata.Uid, pod.Metadata.Name) = (uid, "p-" + uid);
        return pod;
    }

    private static Task<MountedVolume> SetUpAsync(CsiVolumes volumes, Pod pod)
    {
        var volume = new PersistentVolume { Spec = new PersistentVolumeSpec { AccessModes = ["ReadWriteOnce"], Csi = new CSIPersistentVolumeSource { Driver = CsiTestDriver.Name, VolumeHandle = "vol/1", VolumeAttributes = new() { ["color"] = "red" } } } };
        volume.Metadata.Name = "pv1";
        return volumes.SetUpAsync(pod, volume, volume.Spec.Csi, new PersistentVolumeClaim(), false, TestContext.Current.CancellationToken);
    }

    private Task ScanAsync() => _watcher.ScanAsync(TestContext.Current.CancellationToken);

    private Task TearDownAsync(CsiVolumes volumes, Pod pod) => volumes.TearDownAsync(pod.Metadata.Uid, TestContext.Current.CancellationToken);

    private void NotAttachable(bool podInfo = false) =>
        _api.Put($"/apis/storage.k8s.io/v1/csidrivers/{CsiTestDriver.Name}", new CSIDriver { Kind = "CSIDriver", ApiVersion = "storage.k8s.io/v1", Spec = new CSIDriverSpec { AttachRequired = false, PodInfoOnMount = podInfo } });

    [Fact]
    public async Task A_socket_that_appears_registers_its_driver_and_one_that_goes_takes_it_away()
    {
        await ScanAsync();
        Assert.True(_driver!.Registered?.PluginRegistered, _driver.Registered?.Error);
        var driver = Assert.Single(_api.Get<CSINode>("/apis/storage.k8s.io/v1/csinodes/n").Spec.Drivers!);
        Assert.Equal((CsiTestDriver.Name, "id-of-n", 7), (driver.Name, driver.NodeID, driver.Allocatable?.Count));
        Assert.Equal(["topology.test/zone"], driver.TopologyKeys!);
        Assert.Contains("z1", Assert.Single(_api.Patches), StringComparison.Ordinal);
        await _driver.DisposeAsync();
        File.Delete(Socket);
        await ScanAsync();
        Assert.Null(_drivers.Find(CsiTestDriver.Name));
        Assert.Empty(_api.Get<CSINode>("/apis/storage.k8s.io/v1/csinodes/n").Spec.Drivers ?? []);
    }

    [Fact]
    public async Task A_volume_is_staged_once_published_to_each_pod_and_unstaged_with_the_last()
    {
        NotAttachable(podInfo: true);
        await ScanAsync();
        var volumes = NewVolumes();
        var (a, b) = (Pod("a"), Pod("b"));
        var first = await SetUpAsync(volumes, a);
        await File.WriteAllTextAsync(first.Path + "/x", "content", TestContext.Current.CancellationToken);
        Assert.Equal(("red", "p-a", "false"), (_driver!.Published!.VolumeContext["color"], _driver.Published.VolumeContext["csi.storage.k8s.io/pod.name"], _driver.Published.VolumeContext["csi.storage.k8s.io/ephemeral"]));
        var second = await SetUpAsync(volumes, b);
        Assert.Equal("content", await File.ReadAllTextAsync(second.Path + "/x", TestContext.Current.CancellationToken));
        await TearDownAsync(volumes, a);
        Assert.DoesNotContain("NodeUnstageVolume", _driver.Calls);
        // A kubelet that was started anew knows only what is on disk.
        await TearDownAsync(NewVolumes(), b);
        Assert.Contains("NodeUnstageVolume", _driver.Calls);
        Assert.Empty(MountTable.Below(_root));
        Assert.Equal("content", await File.ReadAllTextAsync(_root + "/store/vol/1/x", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_volume_that_must_be_attached_waits_for_that_and_is_told_to_be_in_use()
    {
        await ScanAsync();
        var volumes = NewVolumes();
        var pod = Pod("a");
        var e = await Assert.ThrowsAsync<VolumeException>(() => SetUpAsync(volumes, pod));
        Assert.Contains("not attached", e.Message, StringComparison.Ordinal);
        Assert.Equal([$"kubernetes.io/csi/{CsiTestDriver.Name}^vol/1"], volumes.InUse());
        Assert.DoesNotContain("NodeStageVolume", _driver!.Calls);
        var name = "csi-" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes("vol/1" + CsiTestDriver.Name + "n")));
        _api.Put($"/apis/storage.k8s.io/v1/volumeattachments/{name}", new VolumeAttachment { Kind = "VolumeAttachment", ApiVersion = "storage.k8s.io/v1", Status = new VolumeAttachmentStatus { Attached = true, AttachmentMetadata = new() { ["device"] = "sdx" } } });
        await SetUpAsync(volumes, pod);
        Assert.Equal("sdx", _driver.Published!.PublishContext["device"]);
        await TearDownAsync(volumes, pod);
        Assert.Empty(volumes.InUse());
    }

    [Fact]
    public async Task A_driver_that_fails_to_unpublish_keeps_the_volumes_note_and_a_sweep_unstages_what_a_crash_left()
    {
        NotAttachable();
        await ScanAsync();
        var volumes = NewVolumes();
        var pod = Pod("a");
        await SetUpAsync(volumes, pod);
        _driver!.Fail = "NodeUnpublishVolume";
        await Assert.ThrowsAsync<IOException>(() => TearDownAsync(volumes, pod));
        _driver.Fail = "NodeUnstageVolume";
        await Assert.ThrowsAsync<IOException>(() => TearDownAsync(volumes, pod));
        _driver.Fail = null;
        await NewVolumes().SweepAsync(TestContext.Current.CancellationToken);
        Assert.Empty(MountTable.Below(_root));
    }

    [Theory]
    [InlineData("ReadWriteOnce", false, "SingleNodeWriter")]
    [InlineData("ReadWriteOnce", true, "SingleNodeMultiWriter")]
    [InlineData("ReadWriteOncePod", true, "SingleNodeSingleWriter")]
    [InlineData("ReadWriteMany", true, "MultiNodeMultiWriter")]
    [InlineData("ReadOnlyMany", false, "MultiNodeReaderOnly")]
    public void Access_modes_are_told_as_the_driver_knows_them(string mode, bool single, string expected) => Assert.Equal(expected, CsiVolumes.AccessMode([mode], single).ToString());
}

using Hardway.Hosting;

namespace Hardway.ControllerManager.Tests;

public sealed class ControllerTableTests
{
    /// <summary>What upstream 1.36's --controllers takes.</summary>
    private static readonly string[] _upstream =
    [
        "bootstrap-signer-controller", "certificatesigningrequest-approving-controller", "certificatesigningrequest-cleaner-controller", "certificatesigningrequest-signing-controller", "cloud-node-lifecycle-controller",
        "clusterrole-aggregation-controller", "cronjob-controller", "daemonset-controller", "deployment-controller", "device-taint-eviction-controller", "disruption-controller", "endpoints-controller", "endpointslice-controller",
        "endpointslice-mirroring-controller", "ephemeral-volume-controller", "garbage-collector-controller", "horizontal-pod-autoscaler-controller", "job-controller", "kube-apiserver-serving-clustertrustbundle-publisher-controller",
        "legacy-serviceaccount-token-cleaner-controller", "namespace-controller", "node-ipam-controller", "node-lifecycle-controller", "node-route-controller", "persistentvolume-attach-detach-controller", "persistentvolume-binder-controller",
        "persistentvolume-expander-controller", "persistentvolume-protection-controller", "persistentvolumeclaim-protection-controller", "pod-garbage-collector-controller", "podcertificaterequest-cleaner-controller", "replicaset-controller",
        "replicationcontroller-controller", "resourceclaim-controller", "resourcequota-controller", "root-ca-certificate-publisher-controller", "selinux-warning-controller", "service-cidr-controller", "service-lb-controller", "serviceaccount-controller",
        "serviceaccount-token-controller", "statefulset-controller", "storage-version-migrator-controller", "storageversion-garbage-collector-controller", "taint-eviction-controller", "token-cleaner-controller", "ttl-after-finished-controller",
        "ttl-controller", "validatingadmissionpolicy-status-controller", "volumeattributesclass-protection-controller",
    ];

    [Fact]
    public void Every_controller_of_upstream_is_there_by_its_name() => Assert.Equal(_upstream, ControllerTable.Names.Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("attachdetach")]
    [InlineData("csrsigning")]
    [InlineData("podgc")]
    [InlineData("bootstrapsigner")]
    public void Older_names_are_still_taken(string name) => Assert.True(ControllerTable.Knows(name));

    [Theory]
    [InlineData("--controllers=*,nobody", "nobody")]
    [InlineData("--cluster-cidr=10.0.0.0/99", "10.0.0.0/99")]
    [InlineData("--cluster-signing-kubelet-client-cert-file=/nowhere", "--cluster-signing-kubelet-client-key-file")]
    public void What_is_wrong_with_the_command_line_is_said_in_one_line(string flag, string said)
    {
        var options = new ControllerManagerOptions();
        var flags = new FlagSet("kube-controller-manager", "");
        options.AddFlags(flags);
        Assert.True(flags.TryParse([flag], TextWriter.Null, TextWriter.Null, out _));
        Assert.Contains(said, string.Join("; ", options.Validate()), StringComparison.Ordinal);
    }
}

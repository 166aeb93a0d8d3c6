using Hardway.ApiServer.Tests.Serving;

namespace Hardway.ApiServer.Tests.Rules;

/// <summary>What is refused, and where the answer says it is: the reasons and field paths that clients see.</summary>
public sealed class RefusalTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const string Pod = """{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}""";
    private const string Running = """{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}""";

    [Theory]
    // Jobs
    [InlineData("batch/v1", "jobs", """{"template":{"spec":{"containers":[{"name":"c","image":"i"}]}}}""", "Required spec.template.spec.restartPolicy")]
    [InlineData("batch/v1", "jobs", $$$"""{"completionMode":"Indexed","parallelism":100001,"template":{"spec":{{{Pod}}}}}""", "Invalid spec.parallelism", "Required spec.completions")]
    [InlineData("batch/v1", "jobs", $$$"""{"backoffLimitPerIndex":1,"successPolicy":{"rules":[{}]},"template":{"spec":{{{Pod}}}}}""", "Invalid spec.backoffLimitPerIndex", "Invalid spec.successPolicy")]
    [InlineData("batch/v1", "jobs", $$$"""{"completions":3,"completionMode":"Indexed","successPolicy":{"rules":[{"succeededIndexes":"0-2,1"},{"succeededIndexes":"0,2","succeededCount":3}]},"template":{"spec":{{{Pod}}}}}""", "Invalid spec.successPolicy.rules[0].succeededIndexes", "Invalid spec.successPolicy.rules[1].succeededCount")]
    [InlineData("batch/v1", "jobs", $$$"""{"podFailurePolicy":{"rules":[{"action":"FailIndex","onExitCodes":{"operator":"In","values":[0,3,3]}},{"action":"Frob"}]},"template":{"spec":{{{Pod}}}}}""", "Duplicate spec.podFailurePolicy.rules[0].onExitCodes.values[2]", "Invalid spec.podFailurePolicy.rules[0].action", "Invalid spec.podFailurePolicy.rules[0].onExitCodes.values[0]", "Invalid spec.podFailurePolicy.rules[1]", "NotSupported spec.podFailurePolicy.rules[1].action")]
    [InlineData("batch/v1", "cronjobs", $$$"""{"schedule":"0 0 * * 7","jobTemplate":{"spec":{"template":{"spec":{{{Pod}}} } } } }""", "Invalid spec.schedule")]
    // Workloads
    [InlineData("apps/v1", "deployments", $$$"""{"template":{{{Running}}}}""", "Invalid spec.template.metadata.labels", "Required spec.selector")]
    [InlineData("apps/v1", "deployments", $$$"""{"selector":{"matchExpressions":[{"key":"a","operator":"Frob"}]},"template":{{{Running}}}}""", "Invalid spec.selector", "Invalid spec.selector.matchExpressions[0].operator")]
    [InlineData("apps/v1", "daemonsets", $$$"""{"selector":{"matchLabels":{"a":"b"}},"updateStrategy":{"rollingUpdate":{"maxUnavailable":0}},"template":{{{Running}}}}""", "Required spec.updateStrategy.rollingUpdate.maxUnavailable")]
    // Services and what is behind them
    [InlineData("v1", "services", """{"clusterIPs":["10.32.0.12"],"ports":[{"port":80}]}""", "Invalid spec.clusterIPs")]
    [InlineData("v1", "services", """{"clusterIP":"10.032.0.11","ports":[{"port":80}]}""", "Invalid spec.clusterIPs[0]")]
    [InlineData("v1", "services", """{"ipFamilies":["IPv6"],"ports":[{"port":80}]}""", "Invalid spec.ipFamilies[0]")]
    [InlineData("v1", "services", """{"ipFamilyPolicy":"RequireDualStack","ports":[{"port":80}]}""", "Invalid spec.ipFamilyPolicy")]
    [InlineData("v1", "services", """{"type":"NodePort","ports":[{"name":"a","port":80,"nodePort":30055},{"name":"b","port":81,"protocol":"UDP","nodePort":30055}]}""", "Invalid spec.ports[1].nodePort")]
    [InlineData("networking.k8s.io/v1", "servicecidrs", """{"cidrs":["10.1.0.0/24","10.2.0.0/24"]}""", "Invalid spec.cidrs")]
    [InlineData("networking.k8s.io/v1", "servicecidrs", """{"cidrs":["10.1.0.7/24","FD00::/112"]}""", "Invalid spec.cidrs[0]", "Invalid spec.cidrs[1]")]
    [InlineData("networking.k8s.io/v1", "networkpolicies", """{"podSelector":{},"ingress":[{"ports":[{"port":"A B"},{"endPort":5}]}]}""", "Invalid spec.ingress[0].ports[0].port", "Invalid spec.ingress[0].ports[0].port", "Invalid spec.ingress[0].ports[1].endPort")]
    // Volumes
    [InlineData("v1", "persistentvolumes", """{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOncePod","Frob"],"hostPath":{"path":"/x"},"nfs":{"server":"s","path":"/p"}}""", "Forbidden spec.accessModes", "Forbidden spec.nfs", "NotSupported spec.accessModes")]
    [InlineData("v1", "persistentvolumes", """{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"csi":{"driver":"A_b","controllerPublishSecretRef":{"name":"s"}}}""", "Invalid spec.csi.driver", "Required spec.csi.controllerPublishSecretRef.namespace", "Required spec.csi.volumeHandle")]
    [InlineData("v1", "persistentvolumeclaims", """{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"0"}},"dataSourceRef":{"kind":"K","name":"n"}}""", "Invalid spec.dataSource", "Invalid spec.dataSourceRef", "Invalid spec.resources[storage]")]
    // Certificates
    [InlineData("certificates.k8s.io/v1", "certificatesigningrequests", """{"request":"eA==","expirationSeconds":5,"signerName":"x"}""", "Invalid spec.expirationSeconds", "Invalid spec.request", "Invalid spec.signerName", "Required spec.usages")]
    public async Task A_spec_is_refused_with_all_its_faults(string version, string resource, string spec, params string[] expected)
    {
        var root = version == "v1" ? "/api/v1" : "/apis/" + version;
        var isNamespaced = resource is not ("persistentvolumes" or "certificatesigningrequests" or "servicecidrs");
        var (code, status) = await server.SendAsync("POST", $"{root}/{(isNamespaced ? "namespaces/default/" : "")}{resource}?dryRun=All", $$"""{"metadata":{"name":"bad"},"spec":{{spec}}}""");
        AssertRefused(expected, code, status);
    }

    [Theory]
    [InlineData("""{"containers":[{"name":"c","image":"i","resizePolicy":[{"resourceName":"cpu","restartPolicy":"NotRequired"},{"resourceName":"cpu","restartPolicy":"NotRequired"}]}]}""", "Duplicate template.spec.containers[0].resizePolicy[1]")]
    [InlineData("""{"containers":[{"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/m","mountPropagation":"Bidirectional","recursiveReadOnly":"Enabled"}]}],"volumes":[{"name":"v","emptyDir":{}}]}""", "Forbidden template.spec.containers[0].volumeMounts[0].mountPropagation", "Forbidden template.spec.containers[0].volumeMounts[0].recursiveReadOnly", "Forbidden template.spec.containers[0].volumeMounts[0].recursiveReadOnly")]
    [InlineData("""{"containers":[{"name":"c","image":"i","volumeDevices":[{"name":"v","devicePath":"/dev/../x"}]}],"volumes":[{"name":"v","emptyDir":{}}]}""", "Invalid template.spec.containers[0].volumeDevices[0].devicePath", "Invalid template.spec.containers[0].volumeDevices[0].name")]
    [InlineData("""{"containers":[{"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/m"}]}],"volumes":[{"name":"v","emptyDir":{},"hostPath":{"path":"/x"}}]}""", "Forbidden template.spec.volumes[0].hostPath", "NotFound template.spec.containers[0].volumeMounts[0].name")]
    [InlineData("""{"containers":[{"name":"c","image":"i"}],"volumes":[{"name":"i","iscsi":{"iqn":"x","lun":300}},{"name":"f","fc":{"targetWWNs":["a"]}},{"name":"r","rbd":{"image":"i"}}]}""", "Invalid template.spec.volumes[0].iscsi.iqn", "Invalid template.spec.volumes[0].iscsi.lun", "Required template.spec.volumes[0].iscsi.targetPortal", "Required template.spec.volumes[1].fc.lun", "Required template.spec.volumes[2].rbd.monitors")]
    [InlineData("""{"os":{"name":"windows"},"hostPID":true,"containers":[{"name":"c","image":"i","securityContext":{"privileged":true}}]}""", "Forbidden template.spec.containers[0].securityContext.privileged", "Forbidden template.spec.hostPID")]
    [InlineData("""{"os":{"name":"plan9"},"runtimeClassName":"A_b","preemptionPolicy":"Frob","containers":[{"name":"c","image":"i"}]}""", "Invalid template.spec.runtimeClassName", "NotSupported template.spec.os.name", "NotSupported template.spec.preemptionPolicy")]
    public async Task A_template_is_refused_with_all_its_faults(string spec, params string[] expected)
    {
        var (code, status) = await server.SendAsync("POST", "/api/v1/namespaces/default/podtemplates?dryRun=All", $$$"""{"metadata":{"name":"bad"},"template":{"spec":{{{spec}}}}}""");
        AssertRefused(expected, code, status);
    }

    [Fact]
    public async Task Faults_of_metadata_are_told_as_often_as_the_kind_looks()
    {
        const string maps = "/api/v1/namespaces/default/configmaps";
        await server.SendAsync("POST", maps, """{"metadata":{"name":"twice"}}""");
        var (code, status) = await server.SendAsync("PATCH", maps + "/twice", """{"metadata":{"finalizers":["noslash"]}}""", "application/merge-patch+json");
        AssertRefused(["Invalid metadata.finalizers[0]", "Invalid metadata.finalizers[0]"], code, status);
        (code, status) = await server.SendAsync("PATCH", maps + "/twice", """{"data":{"a":5}}""", "application/merge-patch+json");
        AssertRefused(["Invalid patch"], code, status);
    }

    [Fact]
    public async Task Who_asks_for_a_certificate_is_written_by_the_server()
    {
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=me", key, System.Security.Cryptography.HashAlgorithmName.SHA256).CreateSigningRequestPem();
        var body = $$$"""{"metadata":{"name":"spoofed"},"spec":{"request":"{{{Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(request))}}}","signerName":"example.com/x","usages":["client auth"],"username":"system:admin","groups":["system:masters"]}}""";
        var (code, made) = await server.SendAsync("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests", body);
        Assert.Equal(201, code);
        Assert.NotEqual("system:admin", RunningServer.At(made, "spec", "username"));
        Assert.DoesNotContain("system:masters", (List<object?>)RunningServer.At(made, "spec", "groups")!);
        (code, made) = await server.SendAsync("PATCH", "/apis/certificates.k8s.io/v1/certificatesigningrequests/spoofed/approval", """{"status":{"conditions":[{"type":"Approved","status":"True"}]}}""", "application/merge-patch+json");
        Assert.Equal((200, "Approved"), (code, RunningServer.At(made, "status", "conditions", "0", "type")));
        (code, _) = await server.SendAsync("PATCH", "/apis/certificates.k8s.io/v1/certificatesigningrequests/spoofed/approval", """{"status":{"conditions":null}}""", "application/merge-patch+json");
        Assert.Equal(422, code);
    }

    [Fact]
    public async Task A_service_that_changes_its_type_leaves_what_only_the_old_one_needs()
    {
        const string services = "/api/v1/namespaces/default/services";
        var (code, made) = await server.SendAsync("POST", services, """{"metadata":{"name":"types"},"spec":{"type":"LoadBalancer","externalTrafficPolicy":"Local","ports":[{"port":80}]}}""");
        Assert.Equal(201, code);
        Assert.NotNull(RunningServer.At(made, "spec", "healthCheckNodePort"));
        var address = RunningServer.At(made, "spec", "clusterIP");
        (code, made) = await server.SendAsync("PATCH", services + "/types", """{"spec":{"externalTrafficPolicy":"Cluster"}}""", "application/merge-patch+json");
        Assert.Equal((200, (object?)null), (code, RunningServer.At(made, "spec", "healthCheckNodePort")));
        (code, made) = await server.SendAsync("PATCH", services + "/types", """{"spec":{"type":"ClusterIP"}}""", "application/merge-patch+json");
        Assert.Equal((200, address, (object?)null), (code, RunningServer.At(made, "spec", "clusterIP"), RunningServer.At(made, "spec", "ports", "0", "nodePort")));
        (code, made) = await server.SendAsync("PATCH", services + "/types", """{"spec":{"type":"ExternalName","externalName":"x.test"}}""", "application/merge-patch+json");
        Assert.Equal((200, (object?)null, (object?)null), (code, RunningServer.At(made, "spec", "clusterIP"), RunningServer.At(made, "spec", "internalTrafficPolicy")));
    }

    [Fact]
    public async Task What_stands_twice_is_put_together_as_the_last_says()
    {
        const string maps = "/api/v1/namespaces/default/configmaps?dryRun=All&fieldValidation=Ignore";
        var (_, made) = await server.SendAsync("POST", maps, """{"metadata":{"name":"dup"},"data":{"a":"1","a":"2"},"data":{"b":"3"}}""");
        Assert.Equal(("2", "3"), (RunningServer.At(made, "data", "a"), RunningServer.At(made, "data", "b")));
        (_, made) = await server.SendAsync("POST", maps, "metadata:\n  name: dup\ndata:\n  a: '1'\n  a: '2'\n", "application/yaml");
        Assert.Equal("2", RunningServer.At(made, "data", "a"));
        var (code, _) = await server.SendAsync("POST", maps.Replace("Ignore", "Strict", StringComparison.Ordinal), "metadata:\n  name: dup\ndata:\n  a: '1'\n  a: '2'\n", "application/yaml");
        Assert.Equal(400, code);
    }

    /// <summary>Causes as "Required spec.selector", in order.</summary>
    private static void AssertRefused(string[] expected, int code, Dictionary<string, object?> status)
    {
        var causes = ((List<object?>?)RunningServer.At(status, "details", "causes") ?? []).Cast<Dictionary<string, object?>>()
            .Select(c => ((string)c["reason"]!).Replace("FieldValue", "", StringComparison.Ordinal) + " " + c["field"]).Order(StringComparer.Ordinal);
        Assert.Equal(expected, causes);
        Assert.Equal(422, code);
    }
}

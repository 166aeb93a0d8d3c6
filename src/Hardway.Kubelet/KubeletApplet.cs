using Hardway.Api;
using Hardway.Hosting;
using Hardway.Kubelet.Configuration;

namespace Hardway.Kubelet;

/// <summary>The kubelet as a program.</summary>
public static class KubeletApplet
{
    public static Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        var flags = new FlagSet("kubelet", "runs the Pods of one node");
        var options = new KubeletOptions();
        options.AddFlags(flags);
        var logs = new ComponentLog();
        logs.AddFlags(flags);
        return Applet.RunAsync(flags, args, logs, async ending =>
        {
            var config = ReadConfig(options);
            var kubelet = new KubeletNode(options, config, logs, TimeProvider.System);
            await kubelet.RunAsync(ending);
            return 0;
        }, stop);
    }

    private static KubeletConfig ReadConfig(KubeletOptions options)
    {
        var config = new KubeletConfig();
        if (options.ConfigFile.Length > 0)
        {
            try
            {
                config = KubeletConfigReader.Read(YamlJson.ToJson(File.ReadAllText(options.ConfigFile)), options.ConfigFile);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or ApiDecodeException or System.Text.Json.JsonException)
            {
                throw new ComponentException($"the configuration cannot be used: {e.Message}", e);
            }
        }
        return config with
        {
            ContainerRuntimeEndpoint = options.RuntimeEndpoint.Length > 0 ? options.RuntimeEndpoint : config.ContainerRuntimeEndpoint,
            ImageServiceEndpoint = options.ImageEndpoint.Length > 0 ? options.ImageEndpoint : config.ImageServiceEndpoint,
            RegisterNode = options.RegisterNode ?? config.RegisterNode,
            StaticPodPath = options.StaticPodPath.Length > 0 ? options.StaticPodPath : config.StaticPodPath,
            CgroupRoot = options.CgroupRoot.Length > 0 ? options.CgroupRoot : config.CgroupRoot,
        };
    }
}

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway status`: ends with 0 when everything is as it must be, with 3 when not.</summary>
internal static class StatusCommand
{
    public static async Task<int> RunAsync(JumpboxSession session, OutputFormat format, CancellationToken stop)
    {
        var status = await ClusterStatus.LookAsync(session, stop);
        StatusView.Write(status, format, Console.Out);
        return status.Good ? 0 : 3;
    }
}

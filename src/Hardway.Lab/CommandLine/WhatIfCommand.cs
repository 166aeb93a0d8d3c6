using Hardway.Hosting;
using Hardway.Provisioning;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway what-if lose server-0 then server-1`: asked of the live membership; nothing is done. Ends with 3 when writes stop or nobody is reached.</summary>
internal static class WhatIfCommand
{
    public static async Task<int> RunAsync(JumpboxSession session, IReadOnlyList<string> words, OutputFormat format, CancellationToken stop)
    {
        if (words is not ["lose", _, ..]) throw new ComponentException("what if what? hardway what-if lose server-0 then server-1");
        await using var provisioner = new Provisioner(session.Kept());
        var lines = await provisioner.WhatIfAsync([.. words.Skip(1).Where(w => w is not ("then" or "and" or "lose"))], stop);
        foreach (var line in lines)
        {
            Console.WriteLine(format == OutputFormat.Json
                ? JsonText.Write(w =>
                {
                    w.WriteString("lost", line.Lost);
                    w.WriteBoolean("writes", line.Writes);
                    w.WriteBoolean("reached", line.Reached);
                    w.WriteString("etcd", line.Etcd);
                    w.WriteString("api", line.Api);
                    w.WriteString("work", line.Work);
                })
                : $"{line.Lost}\n  etcd: {line.Etcd}\n  API:  {line.Api}\n  work: {line.Work}");
        }
        return lines[^1] is { Writes: true, Reached: true } ? ExitCodes.Done : ExitCodes.Differs;
    }
}

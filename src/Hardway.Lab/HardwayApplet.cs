using Hardway.Hosting;

namespace Hardway.Lab;

/// <summary>
/// The jumpbox program. Its edge: what a user can mend is told line by line without a stack, and everything that was begun is safe to run again.
/// How it ends: <see cref="CommandLine.ExitCodes"/>.
/// </summary>
public static class HardwayApplet
{
    public static async Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        try
        {
            return await CommandLine.JumpboxCommands.RunAsync(args, stop);
        }
        catch (ComponentException e)
        {
            foreach (var line in e.Message.Split('\n')) await Console.Error.WriteLineAsync("hardway: " + line);
            return 1;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("hardway: interrupted; run it again to go on");
            return 130;
        }
    }
}

using Hardway.Hosting;

namespace Hardway.Lab;

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
    }
}

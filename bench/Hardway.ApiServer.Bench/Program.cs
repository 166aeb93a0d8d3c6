using System.Globalization;
using Hardway.ApiServer.Bench;

// kube-apiserver against its yardsticks, in one run on this machine; each figure is a line with its ratio.
//   Hardway.ApiServer.Bench PATH-OF-hardway [seconds [get,list,create,patch,watch]]     the server as a process of its own over etcd
//   Hardway.ApiServer.Bench parts                         what the parts of a write cost, in this process
//   Hardway.ApiServer.Bench bare FILE CERT KEY            (started by the first) the yardstick for reads
switch (args)
{
    case ["parts"]:
        Parts.Run();
        return 0;
    case ["bare", var file, var certificate, var key]:
        await BareServer.RunAsync(file, certificate, key);
        return 0;
    case [var program, .. var rest]:
        await using (var bench = await ServerBench.StartAsync(program))
        {
            await bench.RunAsync(TimeSpan.FromSeconds(rest is [var seconds, ..] ? double.Parse(seconds, CultureInfo.InvariantCulture) : 5), rest is [_, var only] ? only.Split(',') : []);
        }

        return 0;
    default:
        Console.Error.WriteLine("give the path of the program hardway, or: parts");
        return 1;
}

using System.Globalization;
using Hardway.Client;
using Hardway.ControllerManager.Bench;

// Yardsticks of the controllers, through the API of a running control plane. Each prints one line.
//   dotnet run -c Release -- KUBECONFIG [pods of the Deployment] [Pods for the memory of --pid] [pid...]
if (args is not [var kubeconfig, ..])
{
    Console.Error.WriteLine("usage: KUBECONFIG [DEPLOYMENT-PODS] [MEMORY-PODS] [PID...]");
    return 2;
}
var pods = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1000;
var many = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 0;
var pids = args.Skip(3).Select(p => int.Parse(p, CultureInfo.InvariantCulture)).ToList();
using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(20));
using var client = new KubeClient(KubeConfig.Load(kubeconfig), "bench");
await using var space = await BenchNamespace.CreateAsync(client, stop.Token);
Memory.Print("before", pids);
await DeploymentBench.RunAsync(client, space.Name, pods, stop.Token);
await EndpointBench.RunAsync(client, space.Name, 100, stop.Token);
Memory.Print($"with a Deployment of {pods}", pids);
if (many > 0)
{
    await Memory.FillAsync(client, space.Name, many, stop.Token);
    Memory.Print($"with {many} more Pods", pids);
}
return 0;

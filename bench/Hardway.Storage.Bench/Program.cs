using System.Globalization;
using Hardway.Storage.Bench;

// Yardsticks of the store, on this machine now. Each prints one line; run: dotnet run -c Release -- [seconds]
var length = TimeSpan.FromSeconds(args is [var seconds, ..] ? double.Parse(seconds, CultureInfo.InvariantCulture) : 5);
await using var etcd = await EtcdServer.StartAsync();
await StoreBench.RunAsync(etcd, length);
await CacheBench.RunAsync(etcd, length);

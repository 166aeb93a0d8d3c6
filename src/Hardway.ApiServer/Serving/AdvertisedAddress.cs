using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Hardway.ApiServer.Serving;

/// <summary>The address that others find this server at: as told, else the one it binds, else that of the first interface that is up.</summary>
internal static class AdvertisedAddress
{
    public static IPAddress Of(ApiServerOptions options)
    {
        if (options.AdvertiseAddress is { } told)
        {
            return told;
        }

        if (!options.BindAddress.Equals(IPAddress.Any) && !options.BindAddress.Equals(IPAddress.IPv6Any))
        {
            return options.BindAddress;
        }

        foreach (var device in NetworkInterface.GetAllNetworkInterfaces().Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback))
        {
            if (device.GetIPProperties().UnicastAddresses.FirstOrDefault(a => a.Address.AddressFamily == AddressFamily.InterNetwork) is { } found)
            {
                return found.Address;
            }
        }

        return IPAddress.Loopback;
    }
}

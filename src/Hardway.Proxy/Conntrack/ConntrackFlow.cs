using System.Net;

namespace Hardway.Proxy.Conntrack;

/// <summary>A UDP flow as the kernel tracks it: where it was sent, who really answers, and the raw tuple that names it for deletion.</summary>
internal sealed record ConntrackFlow(IPEndPoint Destination, IPEndPoint ReplySource, ReadOnlyMemory<byte> OriginalTuple);

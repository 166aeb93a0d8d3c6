namespace Hardway.Proxy.Model;

/// <summary>What of this node decides which endpoints are chosen.</summary>
internal sealed record NodeFacts(string Name, string Zone);

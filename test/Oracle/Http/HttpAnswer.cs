namespace Hardway.Oracle.Tests.Http;

/// <summary>Headers are as they came: a header that was sent twice is here twice.</summary>
internal sealed record HttpAnswer(int Status, List<KeyValuePair<string, string>> Headers, byte[] Body)
{
    public string? Header(string name) => Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}

using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hardway.Oracle.Tests.Replay;

internal static class OracleJson
{
    /// <summary>Characters as they are: what is sent is what was recorded.</summary>
    public static JsonSerializerOptions Relaxed { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}

using System.Text.Json;
using Hardway.Api;

namespace Hardway.ApiServer.Registry;

/// <summary>Reads from an encoded object only what lists and watches select by: name, namespace, labels and the selectable fields.</summary>
internal ref struct MetadataScanner
{
    private readonly IReadOnlyList<SelectableField> _fields;
    private Utf8JsonReader _reader;

    public MetadataScanner(ReadOnlySpan<byte> json, IReadOnlyList<SelectableField> fields)
    {
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = ApiJson.MaxDepth });
        _fields = fields;
    }

    public string Name { get; private set; } = "";

    public string Namespace { get; private set; } = "";

    public Dictionary<string, string>? Labels { get; private set; }

    public Dictionary<string, string>? Fields { get; private set; }

    public void Scan()
    {
        if (_fields.Count > 0)
        {
            Fields = new Dictionary<string, string>(_fields.Count, StringComparer.Ordinal);
            foreach (var field in _fields)
            {
                Fields[field.Label] = field.Absent;
            }
        }

        _reader.Read();
        Walk("");
    }

    private void Walk(string path)
    {
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            if (path.Length == 0 && _reader.ValueTextEquals("metadata"u8))
            {
                _reader.Read();
                Metadata();
                continue;
            }

            var wanted = Wanted(path, out var next);
            _reader.Read();
            if (!wanted)
            {
                _reader.Skip();
            }
            else if (_reader.TokenType == JsonTokenType.StartObject)
            {
                Walk(next + ".");
            }
            else
            {
                Take(next);
                _reader.Skip();
            }
        }
    }

    private readonly bool Wanted(string path, out string next)
    {
        next = "";
        if (_fields.Count == 0)
        {
            return false;
        }

        next = path + _reader.GetString();
        foreach (var field in _fields)
        {
            var json = field.JsonPath;
            if (json.StartsWith(next, StringComparison.Ordinal) && (json.Length == next.Length || json[next.Length] == '.'))
            {
                return true;
            }
        }

        return false;
    }

    private readonly void Take(string path)
    {
        var text = _reader.TokenType switch
        {
            JsonTokenType.String => _reader.GetString()!,
            JsonTokenType.Number => System.Text.Encoding.UTF8.GetString(_reader.ValueSpan),
            JsonTokenType.True => "true",
            JsonTokenType.False => "false",
            _ => null,
        };
        if (text is null)
        {
            return;
        }

        foreach (var field in _fields)
        {
            if (field.JsonPath == path)
            {
                Fields![field.Label] = text;
            }
        }
    }

    private void Metadata()
    {
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            if (_reader.ValueTextEquals("name"u8))
            {
                _reader.Read();
                Name = _reader.GetString() ?? "";
            }
            else if (_reader.ValueTextEquals("namespace"u8))
            {
                _reader.Read();
                Namespace = _reader.GetString() ?? "";
            }
            else if (_reader.ValueTextEquals("labels"u8))
            {
                _reader.Read();
                ReadLabels();
            }
            else
            {
                _reader.Read();
                _reader.Skip();
            }
        }
    }

    private void ReadLabels()
    {
        if (_reader.TokenType != JsonTokenType.StartObject)
        {
            return;
        }

        Labels = new Dictionary<string, string>(StringComparer.Ordinal);
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = _reader.GetString()!;
            _reader.Read();
            Labels[key] = _reader.GetString() ?? "";
        }
    }
}

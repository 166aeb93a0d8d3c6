using System.Text;
using Hardway.Api;

namespace Hardway.ApiServer.OpenApi;

/// <summary>
/// What the documents say of types and fields: our own words from Schema/Descriptions.txt; where it has none, a sentence made from the name. The texts
/// are read when a document is made and let go afterwards.
/// </summary>
internal sealed class Descriptions
{
    private const string Resource = "Descriptions.txt";
    private static readonly WeakReference<Descriptions?> s_last = new(null);
    private readonly Dictionary<string, TypeTexts> _types;

    private Descriptions(Dictionary<string, TypeTexts> types)
    {
        _types = types;
    }

    public static Descriptions Get()
    {
        if (s_last.TryGetTarget(out var known) && known is not null)
        {
            return known;
        }

        using var stream = typeof(ApiStruct).Assembly.GetManifestResourceStream(Resource) ?? throw new InvalidOperationException($"{Resource} is not in this program");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var made = new Descriptions(Read(reader));
        s_last.SetTarget(made);
        return made;
    }

    public string OfType(TypeSchema type) => Find(type)?.Text is { Length: > 0 } text ? text
        : type.Kind.Length > 0 && !type.Kind.EndsWith("List", StringComparison.Ordinal) ? $"{type.Kind}: an object of {Group(type)}, version {type.Version}."
        : type.Kind.Length > 0 ? $"A list of {type.Kind[..^4]} objects."
        : $"{Sentence(type.Name)}.";

    public string OfField(TypeSchema type, FieldSchema field) => Told(type, field.Name) ?? (field.Name switch
    {
        "apiVersion" when type.Kind.Length > 0 => "Group and version of the schema that this object is written in.",
        "kind" when type.Kind.Length > 0 => "The kind of this object.",
        "metadata" when type.Kind.EndsWith("List", StringComparison.Ordinal) => "The state of the list, and where it goes on.",
        "metadata" when field.Shape.Kind == ShapeKind.Struct => "The object's name, labels, owners and history.",
        "items" when type.Kind.Length > 0 => "The objects.",
        "spec" => "What is wanted.",
        "status" when field.Shape.Kind == ShapeKind.Struct => "What was last seen.",
        _ => Sentence(field.Name) + Values(field) + ".",
    });

    /// <summary>A field's own text, or that of the type whose texts its type shares.</summary>
    internal string? Told(TypeSchema type, string field)
    {
        for (var texts = Find(type); texts is not null; texts = texts.Base is { } name ? _types.GetValueOrDefault(name) : null)
        {
            if (texts.Fields.TryGetValue(field, out var text))
            {
                return text;
            }
        }

        return null;
    }

    /// <summary>io.k8s.api.core.v1.PodSpec is Core.V1.PodSpec there: by the name of its class.</summary>
    private TypeTexts? Find(TypeSchema type)
    {
        var name = type.New().GetType().FullName!;
        return name.StartsWith("Hardway.Api.", StringComparison.Ordinal) ? _types.GetValueOrDefault(name["Hardway.Api.".Length..]) ?? MetaTexts(type) : null;
    }

    /// <summary>Meta kinds live in the core group's file.</summary>
    private TypeTexts? MetaTexts(TypeSchema type) =>
        type.FullName.StartsWith("io.k8s.apimachinery.pkg.apis.meta.v1.", StringComparison.Ordinal) ? _types.GetValueOrDefault("Meta.V1." + type.Name) : null;

    private static Dictionary<string, TypeTexts> Read(StreamReader reader)
    {
        var types = new Dictionary<string, TypeTexts>(StringComparer.Ordinal);
        TypeTexts? last = null;
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            if (line[0] == ' ')
            {
                var (field, text) = Cut(line[1..]);
                last!.Fields[field] = text;
                continue;
            }

            var (name, rest) = Cut(line);
            string? parent = null;
            if (rest.StartsWith(": ", StringComparison.Ordinal))
            {
                (parent, rest) = Cut(rest[2..]);
            }

            types[name] = last = new TypeTexts(parent, rest);
        }

        return types;
    }

    private static (string Word, string After) Cut(string line)
    {
        var space = line.IndexOf(' ');
        return space < 0 ? (line, "") : (line[..space], line[(space + 1)..]);
    }

    private static string Values(FieldSchema field) => (field.Enum ?? field.Known) is { Length: > 0 } values ? ": " + string.Join(", ", values.Where(v => v.Length > 0)) : "";

    private static string Group(TypeSchema type) => type.Group.Length == 0 ? "the core group" : type.Group;

    /// <summary>terminationGracePeriodSeconds as "Termination grace period seconds".</summary>
    private static string Sentence(string name)
    {
        var text = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            var begins = char.IsUpper(name[i]) && i > 0 && (char.IsLower(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (begins)
            {
                text.Append(' ');
            }

            var keep = char.IsUpper(name[i]) && ((i > 0 && char.IsUpper(name[i - 1])) || (i + 1 < name.Length && char.IsUpper(name[i + 1])));
            text.Append(i == 0 ? char.ToUpperInvariant(name[0]) : keep ? name[i] : char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }

    private sealed record TypeTexts(string? Base, string Text)
    {
        public Dictionary<string, string> Fields { get; } = new(StringComparer.Ordinal);
    }
}

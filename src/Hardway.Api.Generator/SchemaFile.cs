using System;
using System.Collections.Generic;

namespace Hardway.Api.Generator
{
    /// <summary>One `.schema` file: a group version's types. The format is described in Schema/README.md.</summary>
    internal sealed class SchemaFile
    {
        public string Namespace = "";
        public string Group = "";
        public string Version = "";
        public readonly List<TypeModel> Types = new List<TypeModel>();

        public static SchemaFile Parse(string text)
        {
            var file = new SchemaFile();
            TypeModel? type = null;
            foreach (var raw in text.Split('\n'))
            {
                var line = raw.TrimEnd();
                if (line.Length == 0 || line.StartsWith("#", StringComparison.Ordinal))
                {
                    continue;
                }

                var words = line.Trim().Split(new[] { ' ' }, StringSplitOptions.RemoveEmptyEntries);
                if (words[0] == "namespace" && line[0] != ' ')
                {
                    file.Namespace = words[1];
                    file.Group = words[2].Substring("group=".Length);
                    file.Version = words[3].Substring("version=".Length);
                }
                else if (words[0] == "type" && line[0] != ' ')
                {
                    type = new TypeModel(words[1], file, words);
                    file.Types.Add(type);
                }
                else if (type != null)
                {
                    type.Fields.Add(new FieldModel(words));
                }
            }

            return file;
        }
    }

    /// <summary>A type of the schema and the words that stand behind its name.</summary>
    internal sealed class TypeModel
    {
        public readonly string FullName;
        public readonly SchemaFile File;
        public readonly string Kind;
        public readonly bool Atomic;
        public readonly bool Hidden;
        public readonly List<FieldModel> Fields = new List<FieldModel>();

        public TypeModel(string fullName, SchemaFile file, string[] words)
        {
            FullName = fullName;
            File = file;
            Kind = Words.Value(words, "kind") ?? "";
            Atomic = Array.IndexOf(words, "atomic") > 0;
            Hidden = Array.IndexOf(words, "hidden") > 0;
        }

        public string Name => FullName.Substring(FullName.LastIndexOf('.') + 1);

        public string ClrName => "global::Hardway.Api." + File.Namespace + "." + Name;

        public FieldModel? Field(string name) => Fields.Find(f => f.Name == name);

        /// <summary>The apiVersion a new object of this kind carries: meta kinds are served under every group as plain v1.</summary>
        public string ApiVersion =>
            File.Group.Length == 0 ? File.Version
            : File.Group == "meta.k8s.io" && !Name.StartsWith("Table", StringComparison.Ordinal) && !Name.StartsWith("Partial", StringComparison.Ordinal) ? "v1"
            : File.Group + "/" + File.Version;
    }

    /// <summary>A field: JSON name, shape, and the words behind them.</summary>
    internal sealed class FieldModel
    {
        private readonly string[] _words;

        public FieldModel(string[] words)
        {
            _words = words;
        }

        public string Name => _words[0];

        public string Shape => _words[1];

        public bool Has(string word) => Array.IndexOf(_words, word, 2) >= 0;

        public string? Value(string key) => Words.Value(_words, key);

        public string ClrName(string typeName)
        {
            var text = new System.Text.StringBuilder();
            var upper = true;
            foreach (var c in Name)
            {
                if (!char.IsLetterOrDigit(c))
                {
                    upper = true;
                    continue;
                }

                text.Append(upper ? char.ToUpperInvariant(c) : c);
                upper = false;
            }

            var name = text.ToString();
            return name == typeName ? name + "Value" : name;
        }
    }

    internal static class Words
    {
        public static string? Value(string[] words, string key)
        {
            var prefix = key + "=";
            var word = Array.Find(words, w => w.StartsWith(prefix, StringComparison.Ordinal));
            return word?.Substring(prefix.Length);
        }
    }
}

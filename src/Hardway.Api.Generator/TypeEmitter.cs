using System;
using System.Collections.Generic;
using System.Text;

namespace Hardway.Api.Generator
{
    /// <summary>Writes one class. Get answers null exactly where the field is at its zero value.</summary>
    internal sealed class TypeEmitter
    {
        private readonly TypeModel _type;
        private readonly Dictionary<string, TypeModel> _types;
        private readonly StringBuilder _text;

        public TypeEmitter(TypeModel type, Dictionary<string, TypeModel> types, StringBuilder text)
        {
            _type = type;
            _types = types;
            _text = text;
        }

        public void Emit()
        {
            var name = _type.Name;
            var baseClass = BaseClass();
            _text.Append("\n/// <summary>").Append(_type.FullName).Append("</summary>\npublic sealed class ").Append(name)
                .Append(" : ").Append(baseClass).Append(", IApiType<").Append(name).Append(">\n{\n");
            EmitSchema(name);
            for (var i = 0; i < _type.Fields.Count; i++)
            {
                EmitProperty(_type.Fields[i], i, baseClass != "ApiStruct");
            }

            EmitAccess();
            _text.Append("}\n");
        }

        private string BaseClass()
        {
            var metadata = _type.Field("metadata");
            if (_type.Kind.Length == 0 || metadata == null)
            {
                return "ApiStruct";
            }

            return metadata.Shape.EndsWith(".ObjectMeta", StringComparison.Ordinal) ? "KubeObject"
                : metadata.Shape.EndsWith(".ListMeta", StringComparison.Ordinal) ? "KubeList" : "ApiStruct";
        }

        private void EmitSchema(string name)
        {
            _text.Append("    public static TypeSchema TypeSchema { get; } = new(").Append(Quote(_type.FullName)).Append(", ")
                .Append(Quote(_type.File.Group)).Append(", ").Append(Quote(_type.File.Version)).Append(", ").Append(Quote(_type.Kind))
                .Append(", static () => new ").Append(name).Append("(), static () =>\n    [\n");
            foreach (var field in _type.Fields)
            {
                EmitField(field);
            }

            _text.Append("    ])");
            if (_type.Atomic)
            {
                _text.Append(" { IsAtomic = true }");
            }

            _text.Append(";\n\n    public override TypeSchema StructSchema => TypeSchema;\n\n");
        }

        private void EmitField(FieldModel field)
        {
            var flags = new List<string>();
            foreach (var pair in new[] { ("ptr", "Pointer"), ("required", "Required"), ("omitempty", "OmitEmpty"), ("omitzero", "OmitZero"), ("envelope", "Envelope"), ("zerodefault", "ZeroDefault"), ("discriminator", "Discriminator") })
            {
                if (field.Has(pair.Item1))
                {
                    flags.Add("FieldFlags." + pair.Item2);
                }
            }

            _text.Append("        new(").Append(Quote(field.Name)).Append(", ").Append(ShapeExpression(field.Shape)).Append(", ")
                .Append(flags.Count == 0 ? "FieldFlags.None" : string.Join(" | ", flags)).Append(", ").Append(field.Value("proto") ?? "0").Append(')');
            var extras = new List<string>();
            AddText(extras, "Default", field.Value("default"));
            AddText(extras, "ApiDefault", field.Value("apidefault"));
            AddText(extras, "Patch", field.Value("patch"));
            AddText(extras, "MergeKey", field.Value("key"));
            AddText(extras, "Gate", field.Value("gate"));
            AddText(extras, "ProtoIn", field.Value("in"));
            AddText(extras, "ProtoMessage", field.Value("message"));
            AddText(extras, "OneOf", field.Value("oneof") ?? field.Value("zerooroneof"));
            AddList(extras, "Enum", field.Value("enum"), '|');
            AddList(extras, "ItemEnum", field.Value("itemenum")?.Replace('~', ' '), '|');
            AddList(extras, "Known", field.Value("known"), '|');
            var list = field.Value("list");
            if (list != null && list.StartsWith("map(", StringComparison.Ordinal))
            {
                extras.Add("List = global::Hardway.Api.ListKind.Map");
                AddList(extras, "ListKeys", list.Substring(4, list.Length - 5), ',');
            }
            else if (list != null)
            {
                extras.Add("List = global::Hardway.Api.ListKind." + (list == "set" ? "Set" : "Atomic"));
            }

            if (field.Value("map") == "atomic" || field.Value("struct") == "atomic")
            {
                extras.Add("IsAtomic = true");
            }

            if (extras.Count > 0)
            {
                _text.Append(" { ").Append(string.Join(", ", extras)).Append(" }");
            }

            _text.Append(",\n");
        }

        private static void AddText(List<string> extras, string name, string? value)
        {
            if (value != null)
            {
                extras.Add(name + " = " + Quote(value));
            }
        }

        private static void AddList(List<string> extras, string name, string? value, char separator)
        {
            if (value != null)
            {
                var items = Array.ConvertAll(value.Split(separator), Quote);
                extras.Add(name + " = [" + string.Join(", ", items) + "]");
            }
        }

        private void EmitProperty(FieldModel field, int ordinal, bool overrides)
        {
            var clr = ClrType(field.Shape);
            var name = field.ClrName(_type.Name);
            var modifier = overrides && (name == "Kind" || name == "ApiVersion" || name == "Metadata") ? "public override " : "public ";
            var slot = "_f" + ordinal;
            if (IsLazyStruct(field))
            {
                _text.Append("    private ").Append(clr).Append("? ").Append(slot).Append(";\n    ").Append(modifier).Append(clr).Append(' ').Append(name)
                    .Append(" { get => ").Append(slot).Append(" ??= new(); set => ").Append(slot).Append(" = value; }\n");
                return;
            }

            var initial = field.Name == "kind" && _type.Kind.Length > 0 && field.Has("envelope") ? Quote(_type.Kind)
                : field.Name == "apiVersion" && _type.Kind.Length > 0 && field.Has("envelope") ? Quote(_type.ApiVersion)
                : "\"\"";
            if (clr == "string" && !field.Has("ptr"))
            {
                _text.Append("    private string ").Append(slot).Append(" = ").Append(initial).Append(";\n    ").Append(modifier).Append("string ").Append(name)
                    .Append(" { get => ").Append(slot).Append("; set => ").Append(slot).Append(" = value ?? \"\"; }\n");
                return;
            }

            _text.Append("    ").Append(modifier).Append(clr).Append(IsPlainNumber(field) ? "" : "?").Append(' ').Append(name).Append(" { get; set; }\n");
        }

        private void EmitAccess()
        {
            _text.Append("\n    public override object? Get(int ordinal) => ordinal switch\n    {\n");
            for (var i = 0; i < _type.Fields.Count; i++)
            {
                var field = _type.Fields[i];
                var clr = ClrType(field.Shape);
                var name = field.ClrName(_type.Name);
                var read = IsLazyStruct(field) ? "_f" + i
                    : clr == "string" && !field.Has("ptr") ? "_f" + i + ".Length == 0 ? null : _f" + i
                    : IsPlainNumber(field) ? (clr == "bool" ? name + " ? Boxes.True : null" : clr == "double" ? name + " == 0 ? null : (object)" + name : name + " == 0 ? null : Boxes.Of(" + name + ")")
                    : clr == "bool" ? "Boxes.Of(" + name + ")"
                    : clr == "int" || clr == "long" ? "Boxes.Of(" + name + ")"
                    : clr == "object" ? name : "(object?)" + name;
                _text.Append("        ").Append(i).Append(" => ").Append(read).Append(",\n");
            }

            _text.Append("        _ => throw new ArgumentOutOfRangeException(nameof(ordinal)),\n    };\n\n    public override void Set(int ordinal, object? value)\n    {\n        switch (ordinal)\n        {\n");
            for (var i = 0; i < _type.Fields.Count; i++)
            {
                var field = _type.Fields[i];
                var clr = ClrType(field.Shape);
                var name = field.ClrName(_type.Name);
                var write = IsLazyStruct(field) ? "_f" + i + " = (" + clr + "?)value"
                    : clr == "string" && !field.Has("ptr") ? "_f" + i + " = (string?)value ?? \"\""
                    : IsPlainNumber(field) ? name + " = value is null ? default : (" + clr + ")value"
                    : clr == "object" ? name + " = value"
                    : IsPlainValue(field) ? name + " = value is " + clr + " v" + i + " && !v" + i + ".Equals(default(" + clr + ")) ? v" + i + " : (" + clr + "?)null"
                    : name + " = (" + clr + "?)value";
                _text.Append("            case ").Append(i).Append(": ").Append(write).Append("; break;\n");
            }

            _text.Append("            default: throw new ArgumentOutOfRangeException(nameof(ordinal));\n        }\n    }\n");
        }

        private static bool IsLazyStruct(FieldModel field) => field.Shape[0] == '@' && !field.Has("ptr");

        private static bool IsPlainNumber(FieldModel field) =>
            !field.Has("ptr") && (field.Shape == "int32" || field.Shape == "int64" || field.Shape == "bool" || field.Shape == "double");

        /// <summary>Scalars of several words that are no pointers: their zero is the absence.</summary>
        private static bool IsPlainValue(FieldModel field) =>
            !field.Has("ptr") && (field.Shape == "quantity" || field.Shape == "intOrString" || field.Shape == "duration" || field.Shape == "time" || field.Shape == "microTime");

        private string ClrType(string shape)
        {
            switch (shape[0])
            {
                case '@': return _types[shape.Substring(1)].ClrName;
                case '[': return "List<" + ElementType(shape.Substring(1, shape.Length - 2)) + ">";
                case '{': return "Dictionary<string, " + ElementType(shape.Substring(1, shape.Length - 2)) + ">";
                case '(': return "object";
            }

            switch (shape)
            {
                case "string": return "string";
                case "int32": return "int";
                case "int64": return "long";
                case "double": return "double";
                case "bool": return "bool";
                case "bytes": return "byte[]";
                case "quantity": return "Quantity";
                case "intOrString": return "IntOrString";
                case "time": case "microTime": return "DateTimeOffset";
                case "duration": return "TimeSpan";
                default: return "object";
            }
        }

        private string ElementType(string shape)
        {
            var clr = ClrType(shape);
            return clr == "object" ? "object?" : clr;
        }

        private string ShapeExpression(string shape)
        {
            switch (shape[0])
            {
                case '@': return "Shape.Struct<" + ClrType(shape) + ">()";
                case '[': return "Shape.List<" + ElementType(shape.Substring(1, shape.Length - 2)) + ">(" + ShapeExpression(shape.Substring(1, shape.Length - 2)) + ")";
                case '{': return "Shape.Map<" + ElementType(shape.Substring(1, shape.Length - 2)) + ">(" + ShapeExpression(shape.Substring(1, shape.Length - 2)) + ")";
                case '(':
                    var parts = Array.ConvertAll(shape.Substring(1, shape.Length - 2).Split('|'), ShapeExpression);
                    return "Shape.OneOf(" + string.Join(", ", parts) + ")";
            }

            return "Shape." + char.ToUpperInvariant(shape[0]) + shape.Substring(1);
        }

        private static string Quote(string value) => "\"" + value.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";
    }
}

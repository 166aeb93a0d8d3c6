namespace Hardway.Api;

/// <summary>
/// A value of a type that the schema describes. Typed code uses the generated properties; generic code (codecs, patches,
/// apply, defaults) uses <see cref="Get"/> and <see cref="Set"/> by the field's ordinal in <see cref="StructSchema"/>.
/// Not safe for writing from several threads; objects taken from a cache are shared and must be cloned before a change.
/// </summary>
public abstract class ApiStruct
{
    public abstract TypeSchema StructSchema { get; }

    /// <summary>The field's value, or null exactly when it is at its zero value (Go's sense: "", 0, false, nil).</summary>
    public abstract object? Get(int ordinal);

    /// <summary>Sets the field; null resets it to its zero value. The value's CLR type must be the property's.</summary>
    public abstract void Set(int ordinal, object? value);

    /// <summary>Of an open type: the fields that its schema does not name, as JSON trees. Null where the type is closed.</summary>
    public virtual Dictionary<string, object?>? Rest => null;

    public ApiStruct DeepClone() => ApiValues.Clone(this);

    /// <summary>Semantic equality: absent and empty lists and maps are equal, quantities compare by value.</summary>
    public static bool DeepEquals(ApiStruct? a, ApiStruct? b) => ApiValues.AreEqual(a, b);

    public override string ToString() => System.Text.Encoding.UTF8.GetString(ApiJson.Serialize(this));
}

/// <summary>An object with a name: every kind that has ObjectMeta.</summary>
public abstract class KubeObject : ApiStruct
{
    public abstract string ApiVersion { get; set; }

    public abstract string Kind { get; set; }

    public abstract Meta.V1.ObjectMeta Metadata { get; set; }
}

/// <summary>A list kind: ListMeta and items.</summary>
public abstract class KubeList : ApiStruct
{
    public abstract string ApiVersion { get; set; }

    public abstract string Kind { get; set; }

    public abstract Meta.V1.ListMeta Metadata { get; set; }
}

/// <summary>Ties a generated class to its schema, so that generic methods need no reflection.</summary>
public interface IApiType<TSelf>
    where TSelf : ApiStruct, IApiType<TSelf>, new()
{
    static abstract TypeSchema TypeSchema { get; }
}

public static class ApiStructExtensions
{
    public static T Clone<T>(this T value)
        where T : ApiStruct => (T)ApiValues.Clone(value);
}

namespace Hardway.Linux.Systemd;

/// <summary>A property of a transient unit: a string, a list of strings, a boolean or a number.</summary>
public sealed record UnitProperty(string Name, object Value)
{
    internal string Signature => Value switch
    {
        string => "s",
        string[] => "as",
        bool => "b",
        ulong => "t",
        _ => throw new InvalidOperationException($"property {Name} has a value of a kind that is not supported"),
    };

    internal void Write(DBusWriter writer)
    {
        writer.Align(8);
        writer.String(Name);
        writer.Signature(Signature);
        switch (Value)
        {
            case string text:
                writer.String(text);
                break;
            case string[] list:
                writer.Array(4, () =>
                {
                    foreach (var item in list)
                        writer.String(item);
                });
                break;
            case bool flag:
                writer.UInt32(flag ? 1u : 0u);
                break;
            case ulong number:
                writer.UInt64(number);
                break;
        }
    }
}

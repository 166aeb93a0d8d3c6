namespace Hardway.Api;

/// <summary>Shared boxes of the booleans and of small integers, so that generic access allocates little.</summary>
internal static class Boxes
{
    public static readonly object True = true;
    public static readonly object False = false;
    private const int Low = -1;
    private const int High = 1024;
    private static readonly object[] s_ints = Enumerable.Range(Low, High - Low).Select(i => (object)i).ToArray();
    private static readonly object[] s_longs = Enumerable.Range(Low, High - Low).Select(i => (object)(long)i).ToArray();

    public static object Of(bool value) => value ? True : False;

    public static object? Of(bool? value) => value is null ? null : Of(value.Value);

    public static object Of(int value) => value is >= Low and < High ? s_ints[value - Low] : value;

    public static object? Of(int? value) => value is null ? null : Of(value.Value);

    public static object Of(long value) => value is >= Low and < High ? s_longs[value - Low] : value;

    public static object? Of(long? value) => value is null ? null : Of(value.Value);
}

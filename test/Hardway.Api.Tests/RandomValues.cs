using System.Collections;

namespace Hardway.Api.Tests;

/// <summary>
/// Values of any type with what their schema allows, the same for the same seed. Lists and maps that are there have something in them: protobuf does
/// not tell an empty list from none.
/// </summary>
internal sealed class RandomValues(int seed)
{
    private const int MaxDepth = 6;
    private const string Letters = "abcäöü語 \"\\\n-._/";
    private readonly Random _random = new(seed);

    /// <summary>Types that have fields and no number for any of them.</summary>
    public static bool HasNoMessage(TypeSchema type)
    {
        foreach (var field in type.Fields)
        {
            if (field.ProtoNumber > 0)
            {
                return false;
            }
        }

        return type.Fields.Length > 2;
    }

    public ApiStruct Make(TypeSchema type)
    {
        var value = type.New();
        Fill(value, 0);
        return value;
    }

    private void Fill(ApiStruct value, int depth)
    {
        foreach (var field in value.StructSchema.Fields)
        {
            if ((field.Flags & FieldFlags.Envelope) == 0 && field.ProtoNumber > 0 && _random.Next(3) > 0)
            {
                value.Set(field.Ordinal, One(field.Shape, depth));
            }
        }
    }

    private object? One(Shape shape, int depth) => shape.Kind switch
    {
        ShapeKind.String => Text(),
        ShapeKind.Int32 => _random.Next(int.MinValue, int.MaxValue),
        ShapeKind.Int64 => _random.NextInt64(long.MinValue, long.MaxValue),
        ShapeKind.Bool => true,
        ShapeKind.Double => _random.Next(1, 1000) / 4.0,
        ShapeKind.Bytes => Bytes(),
        ShapeKind.Quantity => Quantity.Parse(_random.Next(1, 9999) + (_random.Next(2) == 0 ? "m" : "Mi")),
        ShapeKind.IntOrString => _random.Next(2) == 0 ? new IntOrString(_random.Next(1, 99)) : new IntOrString(Text()),
        ShapeKind.Time or ShapeKind.MicroTime => DateTimeOffset.FromUnixTimeSeconds(_random.Next()).AddMicroseconds(shape.Kind == ShapeKind.MicroTime ? _random.Next(1_000_000) : 0),
        ShapeKind.Duration => TimeSpan.FromMilliseconds(_random.Next(1, 100_000)),
        ShapeKind.Any or ShapeKind.Raw => new Dictionary<string, object?> { ["f:" + Text()] = new Dictionary<string, object?>(), ["n"] = (long)_random.Next(), ["l"] = new List<object?> { Text(), true, null } },
        ShapeKind.OneOf => One(shape.Alternatives[_random.Next(shape.Alternatives.Length)], depth + 1),
        ShapeKind.Struct => Struct(shape, depth),
        ShapeKind.List => List(shape, depth),
        _ => Map(shape, depth),
    };

    private ApiStruct Struct(Shape shape, int depth)
    {
        var value = shape.Type.NewBare();
        if (depth < MaxDepth)
        {
            Fill(value, depth + 1);
        }

        return value;
    }

    private IList List(Shape shape, int depth)
    {
        var list = shape.NewList();
        for (var i = _random.Next(1, 3); i > 0; i--)
        {
            list.Add(One(shape.Element!, depth + 1));
        }

        return list;
    }

    private IDictionary Map(Shape shape, int depth)
    {
        var map = shape.NewMap();
        for (var i = _random.Next(1, 3); i > 0; i--)
        {
            map["k" + Text()] = One(shape.Element!, depth + 1);
        }

        return map;
    }

    private byte[] Bytes()
    {
        var bytes = new byte[_random.Next(1, 20)];
        _random.NextBytes(bytes);
        return bytes;
    }

    private string Text() => new([.. Enumerable.Range(0, _random.Next(1, 24)).Select(_ => Letters[_random.Next(Letters.Length)])]);
}

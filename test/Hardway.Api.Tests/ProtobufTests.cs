using System.Text;
using Hardway.Api.Core.V1;
using Hardway.Api.Protobuf;
using static Hardway.Api.Tests.Wire;

namespace Hardway.Api.Tests;

/// <summary>Kubernetes' protobuf: bytes as other programs write them, every kind there and back, and bodies that mean harm.</summary>
public sealed class ProtobufTests
{
    public static TheoryData<string> Kinds()
    {
        var data = new TheoryData<string>();
        foreach (var name in ApiCatalog.TypeNames.Order(StringComparer.Ordinal))
        {
            if (ApiCatalog.FindType(name) is { Kind.Length: > 0 } type && !RandomValues.HasNoMessage(type))
            {
                data.Add(name);
            }
        }

        return data;
    }

    /// <summary>A ConfigMap put together field by field with Google's own writer, all that upstream's code writes and in its order.</summary>
    [Fact]
    public void A_config_map_has_the_bytes_that_upstream_writes()
    {
        var metadata = Message(m =>
        {
            m(1, "c"); m(2, ""); m(3, "ns"); m(4, ""); m(5, "u"); m(6, "7");
            m(7, 0L);
            m(8, Message(t => { t(1, 1_700_000_000L); t(2, 0L); }));
            m(11, Message(e => { e(1, "a"); e(2, "1"); }));
            m(11, Message(e => { e(1, "b"); e(2, "2"); }));
        });
        var message = Message(m =>
        {
            m(1, metadata);
            m(2, Message(e => { e(1, "k"); e(2, "line\n"); }));
            m(3, Message(e => { e(1, "z"); e(2, new byte[] { 0, 255 }); }));
            m(4, true);
        });
        var expected = "k8s\0"u8.ToArray().Concat(Message(m => { m(1, Message(t => { t(1, "v1"); t(2, "ConfigMap"); })); m(2, message); m(3, ""); m(4, ""); })).ToArray();
        var value = new ConfigMap
        {
            Metadata =
            {
                Name = "c", Namespace = "ns", Uid = "u", ResourceVersion = "7", CreationTimestamp = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000),
                Labels = new() { ["b"] = "2", ["a"] = "1" },
            },
            Data = new() { ["k"] = "line\n" },
            BinaryData = new() { ["z"] = [0, 255] },
            Immutable = true,
        };
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(ApiProtobuf.Serialize(value)));
        Assert.Equal(value.ToString(), ApiProtobuf.Deserialize(ConfigMap.TypeSchema, expected).ToString());
    }

    [Fact]
    public void Scalars_that_are_messages_and_fields_in_wrappers_have_their_numbers()
    {
        var probe = new Probe { HttpGet = new() { Port = "web" }, PeriodSeconds = -1 };
        // The handler is a message of its own (1) that holds httpGet (2); the port has its type, its number and its text.
        var port = Message(m => { m(1, 1L); m(2, 0L); m(3, "web"); });
        var handler = Message(m => m(2, Message(h => { h(1, ""); h(2, port); h(3, ""); h(4, ""); })));
        var expected = Message(m => { m(1, handler); m(2, 0L); m(3, 0L); m(4, -1L); m(5, 0L); m(6, 0L); });
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(ApiProtobuf.SerializeMessage(probe)));
    }

    [Fact]
    public void A_watch_frame_has_its_length_and_no_envelope()
    {
        var body = ApiProtobuf.Serialize(new Namespace { Metadata = { Name = "n" } });
        var message = Message(m => { m(1, "ADDED"); m(2, Message(r => r(1, body))); });
        Assert.Equal(Convert.ToHexString([0, 0, 0, (byte)message.Length, .. message]), Convert.ToHexString(ApiProtobuf.WatchFrame("ADDED", body)));
    }

    [Fact]
    public void A_list_of_messages_is_the_list()
    {
        var list = new ConfigMapList { Metadata = { ResourceVersion = "9" }, Items = [new() { Metadata = { Name = "a" } }, new() { Metadata = { Name = "b" } }] };
        var put = ApiProtobuf.WrapList("v1", "ConfigMapList", list.Metadata, [.. list.Items.Select(i => (ReadOnlyMemory<byte>)ApiProtobuf.SerializeMessage(i))]);
        Assert.Equal(Convert.ToHexString(ApiProtobuf.Serialize(list)), Convert.ToHexString(put));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_comes_back_as_it_went(string name)
    {
        var type = ApiCatalog.FindType(name)!;
        for (var seed = 0; seed < 20; seed++)
        {
            var value = new RandomValues(seed).Make(type);
            var json = ApiJson.Serialize(value);
            var bytes = ApiProtobuf.Serialize(ApiJson.Deserialize(type, json));
            Assert.True(ApiProtobuf.IsProtobuf(bytes));
            Assert.Equal(Encoding.UTF8.GetString(json), Encoding.UTF8.GetString(ApiJson.Serialize(ApiProtobuf.Deserialize(type, bytes))));
        }
    }

    [Fact]
    public void Broken_bodies_are_refused_and_nothing_else_happens()
    {
        var good = ApiProtobuf.Serialize(new RandomValues(3).Make(Pod.TypeSchema));
        var random = new Random(1);
        var refused = 0;
        for (var i = 0; i < 5_000; i++)
        {
            var bad = good[..(4 + random.Next(good.Length - 4))];
            for (var flips = random.Next(6); flips > 0 && bad.Length > 5; flips--)
            {
                bad[4 + random.Next(bad.Length - 4)] = (byte)random.Next(256);
            }

            try
            {
                ApiJson.Serialize(ApiProtobuf.Deserialize(Pod.TypeSchema, bad));
            }
            catch (ApiDecodeException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1, 5_000);
    }

    [Fact]
    public void Bodies_within_bodies_and_messages_without_end_are_refused()
    {
        var inner = ApiProtobuf.Wrap("apps/v1", "ControllerRevision", []);
        for (var i = 0; i < 3; i++)
        {
            inner = ApiProtobuf.Wrap("apps/v1", "ControllerRevision", Message(m => m(2, Message(r => r(1, inner)))));
        }

        Assert.Throws<ApiDecodeException>(() => ApiProtobuf.Deserialize(Apps.V1.ControllerRevision.TypeSchema, inner));
        // A million containers of two bytes each.
        var containers = Enumerable.Repeat<byte[]>([0x12, 0x00], 1_000_000).SelectMany(b => b).ToArray();
        var many = ApiProtobuf.Wrap("v1", "Pod", Message(m => m(2, containers)));
        Assert.Throws<ApiDecodeException>(() => ApiProtobuf.Deserialize(Pod.TypeSchema, many));
        // Schemas within schemas: not is a message of the same type.
        var schema = Array.Empty<byte>();
        for (var i = 0; i < 2_000; i++)
        {
            var within = schema;
            schema = Message(m => m(28, within));
        }

        var version = Message(v => v(4, Message(p => p(1, schema))));
        var definition = Message(m => m(2, Message(s => s(7, version))));
        var deep = ApiProtobuf.Wrap("apiextensions.k8s.io/v1", "CustomResourceDefinition", definition);
        Assert.Throws<ApiDecodeException>(() => ApiProtobuf.Deserialize(ApiExtensions.V1.CustomResourceDefinition.TypeSchema, deep));
    }
}

using System.Buffers;
using System.Text;
using Hardway.Api;
using Hardway.Api.Protobuf;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;
using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Handlers;

/// <summary>Writes watch frames in one watcher's terms: its selector, version, encoding and representation. One watcher's flow only.</summary>
internal sealed class FrameWriter(ApiServices services, ServedResource resource, ObjectFilter filter, Negotiation negotiation, string includeObject)
{
    private const string InitialEventsEnd = "k8s.io/initial-events-end";
    private readonly bool _protobuf = negotiation.Media == MediaType.Protobuf;
    private bool _columnsSent;

    private bool IsShared => negotiation.As == Representation.Object && resource.IsStorageVersion;

    /// <summary>Writes the event if this watcher is to see it; the number of bytes written.</summary>
    public int Write(IBufferWriter<byte> output, CacheEvent e)
    {
        if (e.Type == CacheEventType.Bookmark)
        {
            return Send(output, Frame("BOOKMARK", Encode(Bookmark(e))));
        }

        var isNow = e.Type != CacheEventType.Deleted && filter.Matches(e.Object!);
        var was = e.Type != CacheEventType.Added && e.Previous is not null && (filter.SelectsAll || filter.Matches(e.Previous));
        return (isNow, was, e.Type) switch
        {
            (true, false, CacheEventType.Added) => Shared(output, e, "ADDED"),
            (true, false, _) => Send(output, Frame("ADDED", Show(e.Object!))),
            (true, true, _) => Shared(output, e, "MODIFIED"),
            (false, true, CacheEventType.Deleted) => Shared(output, e, "DELETED"),
            // It left the selection: to this watcher it is deleted, as it last saw it, at the revision of the change.
            (false, true, _) => Send(output, Frame("DELETED", Show(Former(e)))),
            _ => 0,
        };
    }

    public void WriteError(IBufferWriter<byte> output, ApiException error) => Send(output, Frame("ERROR", Encode(error.Status)));

    /// <summary>What an event of that type is to all who see the whole object: made once.</summary>
    private int Shared(IBufferWriter<byte> output, CacheEvent e, string type)
    {
        if (!IsShared)
        {
            return Send(output, Frame(type, Show(e.Object!)));
        }

        var frame = (byte[]?)(_protobuf ? e.OtherFrame : e.Frame);
        if (frame is null)
        {
            frame = Frame(type, Show(e.Object!));
            if (_protobuf)
            {
                e.OtherFrame = frame;
            }
            else
            {
                e.Frame = frame;
            }
        }

        return Send(output, frame);
    }

    private static int Send(IBufferWriter<byte> output, byte[] frame)
    {
        output.Write(frame);
        return frame.Length;
    }

    private byte[] Frame(string type, ReadOnlyMemory<byte> value) => _protobuf
        ? ApiProtobuf.WatchFrame(type, value.Span)
        : [.. Encoding.ASCII.GetBytes($"{{\"type\":\"{type}\",\"object\":"), .. value.Span, .. "}\n"u8];

    private static CachedObject Former(CacheEvent e) => new()
    {
        Key = e.Previous!.Key,
        Name = e.Previous.Name,
        Namespace = e.Previous.Namespace,
        ResourceVersion = e.Revision,
        Json = ObjectBytes.WithResourceVersion(e.Previous.Json.Span, e.Revision),
        Labels = e.Previous.Labels,
        Fields = e.Previous.Fields,
        Tag = new ObjectSlot(),
    };

    private byte[] Encode(ApiStruct value) => _protobuf ? ApiProtobuf.Serialize(value) : ApiJson.Serialize(value);

    private ReadOnlyMemory<byte> Show(CachedObject value)
    {
        if (value.Error is { } error)
        {
            throw Statuses.Internal(error);
        }

        switch (negotiation.As)
        {
            case Representation.Table:
                return Encode(Table(ObjectStore.Decode(resource.Registry, value), ResourceVersions.Of(value.ResourceVersion), !_columnsSent));
            case Representation.PartialObjectMetadata or Representation.PartialObjectMetadataList:
                return Encode(ObjectResponse.Partial(resource, ObjectStore.Decode(resource.Registry, value), negotiation));
            default:
                return _protobuf ? ObjectResponse.Protobuf(resource, null, value) : VersionConversion.Convert(value.Json, resource);
        }
    }

    private Hardway.Api.Meta.V1.Table Table(KubeObject value, string version, bool columns)
    {
        var table = TablePrinter.Make(resource, [value], services.Time.GetUtcNow(), includeObject, columns);
        table.ApiVersion = negotiation.ApiVersion;
        table.Metadata.ResourceVersion = version;
        _columnsSent |= columns;
        return table;
    }

    private ApiStruct Bookmark(CacheEvent e)
    {
        var value = (KubeObject)resource.Info.Type.New();
        value.Kind = resource.Info.Kind;
        value.ApiVersion = resource.Info.ApiVersion;
        value.Metadata.ResourceVersion = ResourceVersions.Of(e.Revision);
        if (e.EndsInitialState)
        {
            value.Metadata.Annotations = new Dictionary<string, string> { [InitialEventsEnd] = "true" };
        }

        return negotiation.As switch
        {
            Representation.Table => Table(value, value.Metadata.ResourceVersion, columns: false),
            Representation.Object => value,
            _ => ObjectResponse.Partial(resource, value, negotiation),
        };
    }
}

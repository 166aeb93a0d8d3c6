using System.Globalization;
using System.Text;
using Hardway.Api.Meta.V1;

namespace Hardway.Client;

/// <summary>Builds a request's query. Empty values are left out.</summary>
internal sealed class KubeQuery
{
    private readonly StringBuilder _text = new();

    public KubeQuery Add(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value)) _text.Append(_text.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        return this;
    }

    public KubeQuery Add(string name, long? value) => value is null or 0 ? this : Add(name, value.Value.ToString(CultureInfo.InvariantCulture));

    public KubeQuery Add(string name, bool? value) => value is true ? Add(name, "true") : this;

    public KubeQuery Add(ListOptions? options)
    {
        if (options is null) return this;
        return Add("labelSelector", options.LabelSelector).Add("fieldSelector", options.FieldSelector).Add("resourceVersion", options.ResourceVersion)
            .Add("resourceVersionMatch", options.ResourceVersionMatch).Add("limit", options.Limit).Add("continue", options.Continue)
            .Add("timeoutSeconds", options.TimeoutSeconds).Add("watch", options.Watch).Add("allowWatchBookmarks", options.AllowWatchBookmarks)
            .Add("sendInitialEvents", options.SendInitialEvents);
    }

    public override string ToString() => _text.ToString();
}

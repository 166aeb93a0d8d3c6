namespace Hardway.ApiServer.Registry.Conversions;

/// <summary>
/// resource.k8s.io v1beta1 and v1: a request's own fields moved into <c>exactly</c>, and a device's out of <c>basic</c>. v1beta2 has v1's shape.
/// </summary>
internal static class DeviceConversion
{
    private static readonly string[] s_exactly = ["deviceClassName", "selectors", "allocationMode", "count", "adminAccess", "tolerations", "capacity"];

    public static void ClaimFromBeta(Dictionary<string, object?> tree) => EachRequest(tree.Map("spec"), FromBeta);

    public static void ClaimToBeta(Dictionary<string, object?> tree) => EachRequest(tree.Map("spec"), ToBeta);

    public static void TemplateFromBeta(Dictionary<string, object?> tree) => EachRequest(tree.Map("spec")?.Map("spec"), FromBeta);

    public static void TemplateToBeta(Dictionary<string, object?> tree) => EachRequest(tree.Map("spec")?.Map("spec"), ToBeta);

    public static void SliceFromBeta(Dictionary<string, object?> tree)
    {
        foreach (var device in tree.Map("spec")?.Maps("devices") ?? [])
        {
            if (device.Remove("basic", out var basic) && basic is Dictionary<string, object?> fields)
            {
                foreach (var (name, value) in fields)
                {
                    device[name] = value;
                }
            }
        }
    }

    public static void SliceToBeta(Dictionary<string, object?> tree)
    {
        foreach (var device in tree.Map("spec")?.Maps("devices") ?? [])
        {
            var basic = Tree.New();
            foreach (var name in device.Keys.Where(k => k != "name").ToList())
            {
                device.Move(name, basic, name);
            }

            device["basic"] = basic;
        }
    }

    private static void EachRequest(Dictionary<string, object?>? spec, Action<Dictionary<string, object?>> change)
    {
        foreach (var request in spec?.Map("devices")?.Maps("requests") ?? [])
        {
            change(request);
        }
    }

    private static void FromBeta(Dictionary<string, object?> request)
    {
        var exactly = Tree.New();
        foreach (var name in s_exactly)
        {
            if (request.Remove(name, out var value) && value is not (null or "" or 0L))
            {
                exactly[name] = value;
            }
        }

        // A request with alternatives has nothing of its own.
        if (exactly.Count > 0)
        {
            request["exactly"] = exactly;
        }
    }

    private static void ToBeta(Dictionary<string, object?> request)
    {
        if (request.Remove("exactly", out var value) && value is Dictionary<string, object?> exactly)
        {
            foreach (var (name, item) in exactly)
            {
                request[name] = item;
            }
        }
    }
}

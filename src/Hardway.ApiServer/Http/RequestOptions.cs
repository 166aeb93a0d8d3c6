using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Http;

internal enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}

/// <summary>What the query of a write says: dryRun, fieldManager, fieldValidation, force.</summary>
internal sealed record WriteOptions
{
    public bool DryRun { get; init; }

    public string FieldManager { get; init; } = "";

    public FieldValidation Validation { get; init; } = FieldValidation.Warn;

    public bool? Force { get; init; }

    /// <param name="context">The request.</param>
    /// <param name="kind">CreateOptions, UpdateOptions or PatchOptions, for the error.</param>
    public static WriteOptions Read(RequestContext context, string kind)
    {
        var query = context.Request.Query;
        var errors = new ErrorList();
        var dryRun = ReadDryRun([.. query["dryRun"]], errors);
        var manager = query["fieldManager"].ToString();
        CheckManager(manager, errors);
        var validation = query["fieldValidation"].ToString();
        FieldValidation? level = validation switch { "" or "Warn" => FieldValidation.Warn, "Strict" => FieldValidation.Strict, "Ignore" => FieldValidation.Ignore, _ => null };
        if (level is null)
        {
            errors.NotSupported(FieldPath.Of("fieldValidation"), validation, "", "Ignore", "Strict", "Warn");
        }

        if (errors.Any)
        {
            throw Statuses.Invalid("meta.k8s.io", kind, "", errors);
        }

        return new WriteOptions
        {
            DryRun = dryRun,
            FieldManager = manager.Length > 0 ? manager : DefaultManager(context.Request),
            Validation = level!.Value,
            Force = query.TryGetValue("force", out var force) ? RequestInfoResolver.IsTrue(force) : null,
        };
    }

    /// <summary>The program's name: what stands before the first slash of its User-Agent.</summary>
    public static string DefaultManager(HttpRequest request)
    {
        var agent = request.Headers.UserAgent.ToString();
        var slash = agent.IndexOf('/');
        var name = slash < 0 ? agent : agent[..slash];
        name = string.Concat(name.Where(c => !char.IsControl(c)));
        return name.Length == 0 ? "unknown" : name.Length > 128 ? name[..128] : name;
    }

    public static bool ReadDryRun(IReadOnlyList<string?> values, ErrorList errors)
    {
        if (values.Count == 0)
        {
            return false;
        }

        if (values.Any(v => v != "All"))
        {
            errors.NotSupported(FieldPath.Of("dryRun"), string.Join(',', values), "All");
        }

        return true;
    }

    private static void CheckManager(string manager, ErrorList errors)
    {
        if (manager.Length > 128)
        {
            errors.TooLong(FieldPath.Of("fieldManager"), 128);
        }
        else if (manager.Any(char.IsControl))
        {
            errors.Invalid(FieldPath.Of("fieldManager"), manager, "it should only have printable characters");
        }
    }
}

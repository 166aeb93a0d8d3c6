using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.Api.StorageMigration.V1Beta1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Writes every object of a resource once more, unchanged, so that the store has it in the version (and under the encryption key) that is current
/// (KEP-4192): conditions Running, then Succeeded or Failed. One object after the other; one that changed or went meanwhile was written by that. Keys are migrations.
/// </summary>
internal sealed class StorageVersionMigratorController : ClusterController
{
    private const string Running = "Running", Succeeded = "Succeeded", Failed = "Failed", Reason = "StorageVersionMigration";
    private readonly Informer<StorageVersionMigration> _migrations;

    public StorageVersionMigratorController(ControllerContext context) : base("storage-version-migrator-controller", "storage-version-migrator-controller", context)
    {
        Workers = 1;
        _migrations = Watch<StorageVersionMigration>();
        _migrations.AddHandler(m => Queue.Add(m.Metadata.Name), (_, m) => Queue.Add(m.Metadata.Name));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_migrations.Store.Get(key) is not { Metadata.DeletionTimestamp: null } cached || IsDone(cached)) return;
        if (await Client.TryGetAsync<StorageVersionMigration>(null, key, cancellationToken) is not { } migration || IsDone(migration)) return;
        if (await FindAsync(migration.Spec.Resource, cancellationToken) is not { } resource)
        {
            await WriteAsync(migration, Failed, "the server has no such resource that can be listed and patched", cancellationToken);
            return;
        }
        if (!Conditions.IsTrue(migration.Status.Conditions, Running)) migration = await WriteAsync(migration, Running, "", cancellationToken);
        try
        {
            await MigrateAsync(resource, cancellationToken);
        }
        catch (ApiException e) when (e.Code is >= 400 and < 500 and not 429 and not 410)
        {
            await WriteAsync(migration, Failed, e.Message, cancellationToken);
            return;
        }
        await WriteAsync(migration, Succeeded, "", cancellationToken);
    }

    private static bool IsDone(StorageVersionMigration migration) => Conditions.IsTrue(migration.Status.Conditions, Succeeded) || Conditions.IsTrue(migration.Status.Conditions, Failed);

    private async Task<ApiResource?> FindAsync(GroupResource wanted, CancellationToken ct) =>
        (await Discovery.PreferredAsync(Client, ct)).Resources.FirstOrDefault(r => r.Resource.Group == wanted.Group && r.Resource.Plural == wanted.Resource && r.Can("list", "patch"))?.Resource;

    private async Task MigrateAsync(ApiResource resource, CancellationToken ct)
    {
        foreach (var item in (await Client.ListAsync<PartialObjectMetadata>(resource, null, null, ct)).Items)
        {
            // The version makes it a write of exactly what is there; an object that changed since was written in the current version.
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = item.Metadata.Uid, ["resourceVersion"] = item.Metadata.ResourceVersion } };
            try
            {
                await Client.PatchAsync<PartialObjectMetadata>(resource, item.Metadata.Namespace, item.Metadata.Name, PatchType.Merge, Encoding.UTF8.GetBytes(patch.ToJsonString()), ct);
            }
            catch (ApiException e) when (e.IsConflict || e.IsNotFound)
            {
            }
        }
    }

    private Task<StorageVersionMigration> WriteAsync(StorageVersionMigration migration, string type, string message, CancellationToken ct)
    {
        var changed = migration.Clone();
        var conditions = changed.Status.Conditions ??= [];
        var now = Time.GetUtcNow();
        if (type != Running) Conditions.Set(conditions, Running, "False", Reason + "Completed", "", now);
        Conditions.Set(conditions, type, "True", Reason + (type == Running ? "InProgress" : type), message, now);
        if (changed.Status.ResourceVersion.Length == 0) changed.Status.ResourceVersion = migration.Metadata.ResourceVersion;
        return Client.UpdateStatusAsync(changed, ct);
    }
}

using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Admission.Plugins.Policy;

/// <summary>
/// Changing an object's owners can delete it later, so it needs the right to delete it; an owner whose deletion is to be blocked needs the right
/// to set that owner's finalizers. Off by default.
/// </summary>
internal sealed class OwnerReferencesPermissionEnforcement(IAuthorizer authorizer) : AdmissionPlugin
{
    public override string Name => "OwnerReferencesPermissionEnforcement";

    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Object is not KubeObject value || attributes.Resource == "pods" && attributes.Subresource == "status")
        {
            return;
        }

        var owners = value.Metadata.OwnerReferences ?? [];
        var old = (attributes.OldObject as KubeObject)?.Metadata.OwnerReferences ?? [];
        if (owners.Count == old.Count && owners.Zip(old).All(p => ApiStruct.DeepEquals(p.First, p.Second)))
        {
            return;
        }

        if (attributes.Operation == AdmissionOperation.Update
            && !await MayAsync(attributes, "delete", attributes.Group, attributes.Resource, "", attributes.Name, cancellationToken).ConfigureAwait(false))
        {
            throw Refuse(attributes, "cannot set an ownerRef on a resource you can't delete");
        }

        foreach (var owner in owners.Where(o => o.BlockOwnerDeletion == true && !old.Any(p => p.Uid == o.Uid && p.BlockOwnerDeletion == true)))
        {
            await CheckOwnerAsync(attributes, owner, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask CheckOwnerAsync(AdmissionAttributes attributes, OwnerReference owner, CancellationToken cancellationToken)
    {
        var slash = owner.ApiVersion.IndexOf('/', StringComparison.Ordinal);
        var (group, version) = slash < 0 ? ("", owner.ApiVersion) : (owner.ApiVersion[..slash], owner.ApiVersion[(slash + 1)..]);
        var plural = ApiCatalog.FindKind(group, version, owner.Kind)?.Plural ?? "*";
        if (!await MayAsync(attributes, "update", group, plural, "finalizers", owner.Name, cancellationToken).ConfigureAwait(false))
        {
            throw Refuse(attributes, "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on");
        }
    }

    private async ValueTask<bool> MayAsync(AdmissionAttributes attributes, string verb, string group, string resource, string subresource, string name, CancellationToken cancellationToken)
    {
        var asked = new AuthorizationAttributes { User = attributes.User, Verb = verb, IsResource = true, Group = group, Version = "*", Resource = resource, Subresource = subresource, Namespace = attributes.Namespace, Name = name };
        return (await authorizer.AuthorizeAsync(asked, cancellationToken).ConfigureAwait(false)).Allowed;
    }

    private static ApiException Refuse(AdmissionAttributes a, string why) => Statuses.Forbidden(a.Group, a.Resource, a.Name, why);
}

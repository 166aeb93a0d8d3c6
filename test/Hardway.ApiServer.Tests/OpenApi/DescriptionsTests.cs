using Hardway.Api;
using Hardway.ApiServer.OpenApi;

namespace Hardway.ApiServer.Tests.OpenApi;

/// <summary>kubectl explain says something of every field that people write by hand.</summary>
public sealed class DescriptionsTests
{
    private static readonly string[] s_obvious = ["apiVersion", "kind", "metadata", "spec", "status", "items"];

    [Theory]
    [InlineData("core.v1.Pod")]
    [InlineData("apps.v1.Deployment")]
    [InlineData("apps.v1.StatefulSet")]
    [InlineData("apps.v1.DaemonSet")]
    [InlineData("apps.v1.ReplicaSet")]
    [InlineData("batch.v1.Job")]
    [InlineData("batch.v1.CronJob")]
    [InlineData("core.v1.Service")]
    [InlineData("networking.v1.Ingress")]
    [InlineData("networking.v1.NetworkPolicy")]
    [InlineData("core.v1.ConfigMap")]
    [InlineData("core.v1.Secret")]
    [InlineData("core.v1.PersistentVolumeClaim")]
    [InlineData("core.v1.PersistentVolume")]
    [InlineData("autoscaling.v2.HorizontalPodAutoscaler")]
    [InlineData("policy.v1.PodDisruptionBudget")]
    [InlineData("rbac.v1.Role")]
    [InlineData("rbac.v1.ClusterRoleBinding")]
    [InlineData("core.v1.ServiceAccount")]
    [InlineData("core.v1.Namespace")]
    [InlineData("core.v1.ResourceQuota")]
    [InlineData("core.v1.LimitRange")]
    [InlineData("storage.v1.StorageClass")]
    [InlineData("scheduling.v1.PriorityClass")]
    public void Every_field_below_a_kind_has_words_of_its_own(string kind)
    {
        var texts = Descriptions.Get();
        var missing = new List<string>();
        var seen = new HashSet<TypeSchema>();
        void Visit(TypeSchema type)
        {
            if (!seen.Add(type))
            {
                return;
            }

            foreach (var field in type.Fields)
            {
                if (texts.Told(type, field.Name) is null && !(s_obvious.Contains(field.Name) && (type.Kind.Length > 0 || field.Shape.Kind == ShapeKind.Struct)))
                {
                    missing.Add($"{type.Name}.{field.Name}");
                }

                var shape = field.Shape;
                while (shape.Element is not null)
                {
                    shape = shape.Element;
                }

                if (shape.Kind == ShapeKind.Struct)
                {
                    Visit(shape.Type);
                }
            }
        }

        Visit(ApiCatalog.FindType("io.k8s.api." + kind)!);
        Assert.Empty(missing);
    }
}

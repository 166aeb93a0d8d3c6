using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of the containers of a Pod, alone and together.</summary>
internal static class ContainerValidation
{
    public static void Validate(PodSpec spec, Dictionary<string, Volume> volumes, FieldPath path, ErrorList errors)
    {
        if (spec.Containers is not { Count: > 0 })
        {
            errors.Required(path.Child("containers"));
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var hostPorts = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < spec.Containers?.Count; i++)
        {
            var container = spec.Containers[i];
            var at = path.Child("containers").Index(i);
            Validate(container, spec, volumes, at, errors);
            Unique(errors, at.Child("name"), container.Name, names);
            HostPorts(errors, at.Child("ports"), container.Ports, hostPorts, spec.HostNetwork);
            if (container.RestartPolicy is { } policy && container.RestartPolicyRules is not { Count: > 0 } && !IsRestartPolicy(policy))
            {
                errors.NotSupported(at.Child("restartPolicy"), policy, "Always", "OnFailure", "Never");
            }
        }

        for (var i = 0; i < spec.InitContainers?.Count; i++)
        {
            var container = spec.InitContainers[i];
            var at = path.Child("initContainers").Index(i);
            Validate(container, spec, volumes, at, errors);
            Unique(errors, at.Child("name"), container.Name, names);
            HostPorts(errors, at.Child("ports"), container.Ports, new HashSet<string>(StringComparer.Ordinal), spec.HostNetwork);
            Init(container, at, errors);
        }

        Ephemeral(spec, volumes, names, path.Child("ephemeralContainers"), errors);
    }

    public static void Ephemeral(PodSpec spec, Dictionary<string, Volume> volumes, HashSet<string> names, FieldPath path, ErrorList errors)
    {
        var all = (spec.Containers ?? []).Concat(spec.InitContainers ?? []).Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < spec.EphemeralContainers?.Count; i++)
        {
            var container = spec.EphemeralContainers[i];
            var at = path.Index(i);
            Common(container.Name, container.Image, container.Env, container.EnvFrom, at, errors);
            Unique(errors, at.Child("name"), container.Name, names);
            if (container.TargetContainerName.Length > 0 && !all.Contains(container.TargetContainerName))
            {
                errors.NotFound(at.Child("targetContainerName"), container.TargetContainerName);
            }

            foreach (var field in new[] { "ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources", "resizePolicy" })
            {
                var schema = EphemeralContainer.TypeSchema.Field(field);
                if (schema is not null && container.Get(schema.Ordinal) is { } set && !(set is ApiStruct inner && ApiStruct.DeepEquals(inner, null)))
                {
                    errors.Forbidden(at.Child(field), "cannot be set for an ephemeral container");
                }
            }

            MountValidation.Validate(container.VolumeMounts, volumes, container.SecurityContext?.Privileged == true, at.Child("volumeMounts"), errors);
            for (var m = 0; m < container.VolumeMounts?.Count; m++)
            {
                foreach (var (field, text) in new[] { ("subPath", container.VolumeMounts[m].SubPath), ("subPathExpr", container.VolumeMounts[m].SubPathExpr) })
                {
                    if (text.Length > 0)
                    {
                        errors.Forbidden(at.Child("volumeMounts").Index(m).Child(field), "cannot be set for an ephemeral container");
                    }
                }
            }

            PodSecurityValidation.Validate(container.SecurityContext, at.Child("securityContext"), errors);
        }
    }

    /// <summary>What containers of every sort have.</summary>
    private static void Common(string name, string image, List<EnvVar>? env, List<EnvFromSource>? from, FieldPath path, ErrorList errors)
    {
        Name(errors, path.Child("name"), name);
        Image(errors, path.Child("image"), image);
        Environment(env, path.Child("env"), errors);
        for (var i = 0; i < from?.Count; i++)
        {
            EnvironmentFrom(from[i], path.Child("envFrom").Index(i), errors);
        }
    }

    private static void Validate(Container container, PodSpec spec, Dictionary<string, Volume> volumes, FieldPath path, ErrorList errors)
    {
        Common(container.Name, container.Image, container.Env, container.EnvFrom, path, errors);
        SchemaValidation.Enums(container, path, errors, "restartPolicy");
        Ports(container.Ports, path.Child("ports"), errors);
        MountValidation.Validate(container.VolumeMounts, volumes, container.SecurityContext?.Privileged == true, path.Child("volumeMounts"), errors);
        MountValidation.ValidateDevices(container.VolumeDevices, container.VolumeMounts, volumes, path.Child("volumeDevices"), errors);
        ResizePolicies(container.ResizePolicy, path.Child("resizePolicy"), errors);
        ResourceValidation.Validate(container.Resources, spec, path.Child("resources"), errors);
        var allowProbes = container.RestartPolicy == "Always" || spec.InitContainers?.Contains(container) != true;
        if (allowProbes)
        {
            ProbeValidation.Validate(container, path, errors);
            ProbeValidation.Validate(container.Lifecycle, path.Child("lifecycle"), spec.TerminationGracePeriodSeconds, errors);
        }

        PodSecurityValidation.Validate(container.SecurityContext, path.Child("securityContext"), errors);
    }

    private static void ResizePolicies(List<ContainerResizePolicy>? policies, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < policies?.Count; i++)
        {
            if (policies.FindIndex(p => p.ResourceName == policies[i].ResourceName) < i)
            {
                errors.Duplicate(path.Index(i), policies[i].ResourceName);
            }

            if (policies[i].ResourceName is not ("cpu" or "memory"))
            {
                errors.NotSupported(path.Index(i), policies[i].ResourceName, "cpu", "memory");
            }

            if (policies[i].RestartPolicy is not ("NotRequired" or "RestartContainer"))
            {
                errors.NotSupported(path.Index(i), policies[i].RestartPolicy, "NotRequired", "RestartContainer");
            }
        }
    }

    private static void Init(Container container, FieldPath path, ErrorList errors)
    {
        if (container.RestartPolicy is { } policy && !IsRestartPolicy(policy))
        {
            errors.NotSupported(path.Child("restartPolicy"), policy, "Always", "OnFailure", "Never");
        }

        if (container.RestartPolicy == "Always")
        {
            return;
        }

        foreach (var (name, value) in new (string, object?)[] { ("lifecycle", container.Lifecycle), ("livenessProbe", container.LivenessProbe), ("readinessProbe", container.ReadinessProbe), ("startupProbe", container.StartupProbe) })
        {
            if (value is not null)
            {
                errors.Forbidden(path.Child(name), "may not be set for init containers without restartPolicy=Always");
            }
        }
    }

    private static bool IsRestartPolicy(string policy) => policy is "Always" or "OnFailure" or "Never";

    private static void Name(ErrorList errors, FieldPath path, string name)
    {
        if (name.Length == 0)
        {
            errors.Required(path);
        }
        else
        {
            Names.CheckDnsLabel(errors, path, name);
        }
    }

    private static void Unique(ErrorList errors, FieldPath path, string name, HashSet<string> names)
    {
        if (name.Length > 0 && !names.Add(name))
        {
            errors.Duplicate(path, name);
        }
    }

    private static void Image(ErrorList errors, FieldPath path, string image)
    {
        if (image.Length == 0)
        {
            errors.Required(path);
        }
        else if (image.Trim().Length != image.Length)
        {
            errors.Invalid(path, image, "must not have leading or trailing whitespace");
        }
    }

    private static void Ports(List<ContainerPort>? ports, FieldPath path, ErrorList errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < ports?.Count; i++)
        {
            var port = ports[i];
            var at = path.Index(i);
            if (port.Name.Length > 0)
            {
                if (!Names.IsPortName(port.Name))
                {
                    Names.CheckPortName(errors, at.Child("name"), port.Name);
                }
                else if (!names.Add(port.Name))
                {
                    errors.Duplicate(at.Child("name"), port.Name);
                }
            }

            if (port.ContainerPortValue == 0)
            {
                errors.Required(at.Child("containerPort"));
            }
            else
            {
                Names.CheckPort(errors, at.Child("containerPort"), port.ContainerPortValue);
            }

            if (port.HostPort != 0)
            {
                Names.CheckPort(errors, at.Child("hostPort"), port.HostPort);
            }

            if (port.Protocol.Length == 0)
            {
                errors.Required(at.Child("protocol"));
            }

            if (port.HostIP.Length > 0 && !System.Net.IPAddress.TryParse(port.HostIP, out _))
            {
                errors.Invalid(at.Child("hostIP"), port.HostIP, "is no IP address");
            }
        }
    }

    private static void HostPorts(ErrorList errors, FieldPath path, List<ContainerPort>? ports, HashSet<string> taken, bool hostNetwork)
    {
        for (var i = 0; i < ports?.Count; i++)
        {
            var port = ports[i];
            if (port.HostPort == 0)
            {
                continue;
            }

            if (hostNetwork && port.HostPort != port.ContainerPortValue)
            {
                errors.Invalid(path.Index(i).Child("hostPort"), port.HostPort, "must match `containerPort` when `hostNetwork` is true");
            }

            if (!taken.Add($"{port.Protocol}/{port.HostIP}/{port.HostPort}"))
            {
                errors.Duplicate(path.Index(i).Child("hostPort"), $"{port.Protocol}/{port.HostIP}/{port.HostPort}");
            }
        }
    }

    private static void Environment(List<EnvVar>? env, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < env?.Count; i++)
        {
            var at = path.Index(i);
            if (env[i].Name.Length == 0)
            {
                errors.Required(at.Child("name"));
            }
            else if (!IsEnvironmentName(env[i].Name))
            {
                errors.Invalid(at.Child("name"), env[i].Name, "is no name of an environment variable: printable ASCII without '='");
            }

            if (env[i].ValueFrom is { } from)
            {
                EnvironmentSource(env[i], from, at.Child("valueFrom"), errors);
            }
        }
    }

    private static bool IsEnvironmentName(string name) => name.All(c => c is > ' ' and < (char)127 && c != '=') || name.All(c => c is >= ' ' and < (char)127 && c != '=');

    private static void EnvironmentSource(EnvVar variable, EnvVarSource from, FieldPath path, ErrorList errors)
    {
        var sources = 0;
        if (from.FieldRef is { } field)
        {
            sources++;
            FieldReference.Check(errors, path.Child("fieldRef"), field, FieldReference.Environment);
        }

        if (from.ResourceFieldRef is { } resource)
        {
            sources++;
            FieldReference.CheckResource(errors, path.Child("resourceFieldRef"), resource, needContainer: false);
        }

        if (from.ConfigMapKeyRef is { } map)
        {
            sources++;
            KeyReference(errors, path.Child("configMapKeyRef"), map.Key);
        }

        if (from.SecretKeyRef is { } secret)
        {
            sources++;
            KeyReference(errors, path.Child("secretKeyRef"), secret.Key);
        }

        if (from.FileKeyRef is not null)
        {
            sources++;
        }

        if (sources == 0)
        {
            errors.Invalid(path, "", "must specify one of: `configMapKeyRef`, `fieldRef`, `resourceFieldRef` or `secretKeyRef`");
        }
        else if (variable.Value.Length > 0)
        {
            errors.Invalid(path, "", "may not be specified when `value` is not empty");
        }
        else if (sources > 1)
        {
            errors.Invalid(path, "", "may not have more than one field specified at a time");
        }
    }

    private static void KeyReference(ErrorList errors, FieldPath path, string key)
    {
        if (key.Length == 0)
        {
            errors.Required(path.Child("key"));
        }
        else
        {
            Names.CheckConfigKey(errors, path.Child("key"), key);
        }
    }

    private static void EnvironmentFrom(EnvFromSource source, FieldPath path, ErrorList errors)
    {
        if (source.Prefix.Length > 0 && !IsEnvironmentName(source.Prefix))
        {
            errors.Invalid(path.Child("prefix"), source.Prefix, "is no beginning of an environment variable's name");
        }

        var sources = (source.ConfigMapRef is null ? 0 : 1) + (source.SecretRef is null ? 0 : 1);
        if (sources == 0)
        {
            errors.Invalid(path, "", "must specify one of: `configMapRef` or `secretRef`");
        }
        else if (sources > 1)
        {
            errors.Invalid(path, "", "may not have more than one field specified at a time");
        }
    }
}

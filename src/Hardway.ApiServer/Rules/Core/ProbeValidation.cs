using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of probes and hooks.</summary>
internal static class ProbeValidation
{
    public static void Validate(Container container, FieldPath path, ErrorList errors)
    {
        Validate(container.LivenessProbe, path.Child("livenessProbe"), errors, onlyOneSuccess: true);
        Validate(container.StartupProbe, path.Child("startupProbe"), errors, onlyOneSuccess: true);
        Validate(container.ReadinessProbe, path.Child("readinessProbe"), errors, onlyOneSuccess: false);
        if (container.ReadinessProbe?.TerminationGracePeriodSeconds is { } grace)
        {
            errors.Invalid(path.Child("readinessProbe", "terminationGracePeriodSeconds"), grace, "must not be set for readinessProbes");
        }
    }

    public static void Validate(Lifecycle? lifecycle, FieldPath path, long? grace, ErrorList errors)
    {
        Hook(lifecycle?.PostStart, path.Child("postStart"), grace, errors);
        Hook(lifecycle?.PreStop, path.Child("preStop"), grace, errors);
    }

    private static void Validate(Probe? probe, FieldPath path, ErrorList errors, bool onlyOneSuccess)
    {
        if (probe is null)
        {
            return;
        }

        Handler(probe.Exec, probe.HttpGet, probe.TcpSocket, probe.Grpc, path, errors);
        WorkloadValidation.Count(errors, path.Child("initialDelaySeconds"), probe.InitialDelaySeconds);
        WorkloadValidation.Count(errors, path.Child("timeoutSeconds"), probe.TimeoutSeconds);
        WorkloadValidation.Count(errors, path.Child("periodSeconds"), probe.PeriodSeconds);
        WorkloadValidation.Count(errors, path.Child("successThreshold"), probe.SuccessThreshold);
        WorkloadValidation.Count(errors, path.Child("failureThreshold"), probe.FailureThreshold);
        if (onlyOneSuccess && probe.SuccessThreshold > 1)
        {
            errors.Invalid(path.Child("successThreshold"), probe.SuccessThreshold, "must be 1");
        }

        if (onlyOneSuccess && probe.TerminationGracePeriodSeconds <= 0)
        {
            errors.Invalid(path.Child("terminationGracePeriodSeconds"), probe.TerminationGracePeriodSeconds, "must be greater than 0");
        }
    }

    private static void Hook(LifecycleHandler? hook, FieldPath path, long? grace, ErrorList errors)
    {
        if (hook is null)
        {
            return;
        }

        var handlers = (hook.Exec is null ? 0 : 1) + (hook.HttpGet is null ? 0 : 1) + (hook.TcpSocket is null ? 0 : 1) + (hook.Sleep is null ? 0 : 1);
        if (hook.Sleep is { } sleep)
        {
            if (handlers > 1)
            {
                errors.Forbidden(path.Child("sleep"), "may not specify more than 1 handler type");
            }
            else if (sleep.Seconds < 0 || sleep.Seconds > (grace ?? 30))
            {
                errors.Invalid(path.Child("sleep"), sleep.Seconds, $"must be between 0 and the termination grace period of {grace ?? 30} s");
            }

            return;
        }

        Handler(hook.Exec, hook.HttpGet, hook.TcpSocket, null, path, errors);
    }

    private static void Handler(ExecAction? exec, HTTPGetAction? http, TCPSocketAction? tcp, GRPCAction? grpc, FieldPath path, ErrorList errors)
    {
        var seen = 0;
        if (exec is not null)
        {
            seen++;
            if (exec.Command is not { Count: > 0 })
            {
                errors.Required(path.Child("exec", "command"));
            }
        }

        if (http is not null && First(ref seen, path.Child("httpGet"), errors))
        {
            if (http.Path.Length == 0)
            {
                errors.Required(path.Child("httpGet", "path"));
            }

            Names.CheckPortReference(errors, path.Child("httpGet", "port"), http.Port);
            for (var i = 0; i < http.HttpHeaders?.Count; i++)
            {
                if (!IsHeaderName(http.HttpHeaders[i].Name))
                {
                    errors.Invalid(path.Child("httpGet", "httpHeaders"), http.HttpHeaders[i].Name, "is no name of an HTTP header");
                }
            }
        }

        if (tcp is not null && First(ref seen, path.Child("tcpSocket"), errors))
        {
            Names.CheckPortReference(errors, path.Child("tcpSocket", "port"), tcp.Port);
        }

        if (grpc is not null && First(ref seen, path.Child("grpc"), errors))
        {
            Names.CheckPort(errors, path.Child("grpc", "port"), grpc.Port);
        }

        if (seen == 0)
        {
            errors.Required(path, "must specify a handler type");
        }
    }

    private static bool First(ref int seen, FieldPath path, ErrorList errors)
    {
        if (seen++ == 0)
        {
            return true;
        }

        errors.Forbidden(path, "may not specify more than 1 handler type");
        return false;
    }

    private static bool IsHeaderName(string name) => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}

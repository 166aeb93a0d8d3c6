namespace Hardway.Provisioning.Faults;

/// <summary>What changes a kernel's clock or swap is done on machines that have one of their own: a container's is its host's, whoever says that it is a machine.</summary>
internal static class OwnKernel
{
    public const string Guard = "if systemd-detect-virt --quiet --container; then echo 'this machine is a container: its clock and swap are its host'\\''s' >&2; exit 1; fi\n";
}

namespace Hardway.Kubelet.Volumes;

/// <summary>Where a volume is on the host: a directory or file, a block device, or an image that the runtime mounts.</summary>
internal sealed record MountedVolume(string Path, bool ReadOnly = false, bool IsBlock = false, string? Image = null);

namespace Hardway.Provisioning.Drills;

/// <summary>
/// A small disk for a drill to fill, as bash scripts. etcd's data moves onto it and back. Its files lie there with holes, so that the first write after the disk is full fails; the copy
/// beside it has another name, so that a machine that starts anew in the midst of it finds no data, and not old data: old data would be a member that has forgotten what it promised.
/// </summary>
internal static class DrillDisk
{
    public const string Etcd = "/var/lib/etcd/member";
    public const string Log = "/var/log";

    private const string _aside = Etcd + ".hardway-drill";
    private const string _filler = "hardway-drill.fill";

    /// <summary>Room for what there is, a segment of etcd's log (64 MB, made ahead) and a little.</summary>
    public const string UnderEtcd = $"""
        if ! mountpoint -q {Etcd}; then
          systemctl stop etcd
          rm -rf {_aside}
          mv {Etcd} {_aside}
          mkdir -m 700 {Etcd}
          mount -t tmpfs -o size=$(($(du -sm {_aside} | cut -f1) + 100))m,mode=700 hardway-drill {Etcd}
          cp -a --sparse=always {_aside}/. {Etcd}/
          systemctl start --no-block etcd
        fi
        """;

    public const string OffEtcd = $"""
        if mountpoint -q {Etcd}; then
          systemctl stop etcd
          rm -rf {Etcd}/{_filler} {_aside}
          mkdir -m 700 {_aside}
          cp -a --sparse=always {Etcd}/. {_aside}/
          sync -f {_aside}
          umount {Etcd}
          rmdir {Etcd}
          mv {_aside} {Etcd}
          systemctl start --no-block etcd
        fi
        """;

    /// <summary>Its log files are opened anew, on it.</summary>
    public static string UnderLog(string unit) => $"mountpoint -q {Log} || mount -t tmpfs -o size=4m,mode=755 hardway-drill {Log}\nsystemctl restart --no-block {unit}";

    public static string OffLog(string unit) => $"if grep -q '^hardway-drill {Log} ' /proc/mounts; then umount -l {Log}; systemctl restart --no-block {unit}; fi";

    /// <summary>To the last byte.</summary>
    public static string Fill(string folder) => $"grep -q '^hardway-drill {folder} ' /proc/mounts\ncat /dev/zero >{folder}/{_filler} 2>/dev/null || true";

    public static string Empty(string folder) => $"rm -f {folder}/{_filler}";
}

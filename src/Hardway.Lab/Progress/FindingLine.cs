using Hardway.Provisioning.Verification;

namespace Hardway.Lab.Progress;

internal static class FindingLine
{
    public static string Of(Finding finding) => $"{finding.Elapsed.TotalSeconds,7:0.00} s  {(finding.Good ? "ok  " : "FAIL")}  {finding.Subject}: {finding.Seen}";
}

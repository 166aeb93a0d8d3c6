namespace Hardway.Lab.CommandLine;

/// <summary>How the program ends; documented in its help and in docs/guide.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>It could not be done; standard error says why and how to mend it.</summary>
    public const int Failed = 1;

    /// <summary>It looked, and it is not as it must be (status, verify, doctor), or differs from what up would make (plan).</summary>
    public const int Differs = 3;

    public const int Interrupted = 130;

    public const string Help = "Exit codes: 0 done or all well; 1 failed (standard error says why); 3 looked and found something that is not as it must be, or, for plan, that would change; 130 interrupted.";
}

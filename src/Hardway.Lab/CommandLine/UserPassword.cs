using System.Text;
using Hardway.Hosting;

namespace Hardway.Lab.CommandLine;

/// <summary>
/// Where the password of the machines' user comes from: a file, the terminal, or, for every command, the file that HARDWAY_SSH_PASSWORD_FILE names. Never an argument,
/// which everybody on this computer could read.
/// </summary>
internal static class UserPassword
{
    public const string Variable = "HARDWAY_SSH_PASSWORD_FILE";

    public static string? OfEnvironment() => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? OfFile(path) : null;

    public static string OfFile(string path)
    {
        if (!File.Exists(path)) throw new ComponentException($"{path}: no such file; it is to hold the password of the machines' user");
        var password = File.ReadAllText(path).TrimEnd('\n', '\r');
        return password.Length is > 0 and < 1024 && !password.Contains('\n', StringComparison.Ordinal) ? password
            : throw new ComponentException($"{path}: not one line with a password");
    }

    public static string Ask(string user)
    {
        if (Console.IsInputRedirected) throw new ComponentException($"a password cannot be asked for without a terminal: give a file with --ssh-password-file, or {Variable}");
        Console.Error.Write($"password of {user} on the machines: ");
        var password = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
        {
            if (key.Key != ConsoleKey.Backspace) password.Append(key.KeyChar);
            else if (password.Length > 0) password.Length--;
        }
        Console.Error.WriteLine();
        return password.ToString();
    }
}

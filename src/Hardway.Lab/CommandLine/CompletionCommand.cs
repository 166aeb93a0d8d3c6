using Hardway.Hosting;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway completion bash|zsh|fish`: a script for the shell, which asks the program itself what may follow (the [suggest] directive), so it never lags behind.</summary>
internal static class CompletionCommand
{
    public static int Run(string shell, OutputFormat format, TextWriter output)
    {
        var script = Script(shell);
        output.WriteLine(format == OutputFormat.Json ? JsonText.Write(w => { w.WriteString("shell", shell); w.WriteString("script", script); }) : script);
        return ExitCodes.Done;
    }

    private static string Script(string shell) => shell switch
    {
        "bash" => """
            # hardway: completion for bash. Use: source <(hardway completion bash)
            _hardway() {
                local line=${COMP_LINE:0:COMP_POINT} word=${COMP_WORDS[COMP_CWORD]}
                mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${#line}]" "$line" 2>/dev/null)" -- "$word")
            }
            complete -o default -F _hardway hardway ./hardway
            """,
        "zsh" => """
            # hardway: completion for zsh. Use: source <(hardway completion zsh)
            _hardway() {
                local -a found
                found=(${(f)"$("${words[1]}" "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)"})
                compadd -a found
            }
            compdef _hardway hardway
            """,
        "fish" => """
            # hardway: completion for fish. Use: hardway completion fish | source
            complete -c hardway -f -a '(hardway "[suggest:"(commandline -C)"]" (commandline -cp) 2>/dev/null)'
            """,
        _ => throw new ComponentException($"no completion for '{shell}': bash, zsh or fish"),
    };
}

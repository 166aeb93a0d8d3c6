using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Hardway.Lab.CommandLine;

/// <summary>What the library says of a command, then examples of it, then how the program ends.</summary>
internal sealed class HelpWithExamples(HelpAction inner) : SynchronousCommandLineAction
{
    /// <summary>By the words of the command; the program itself has none.</summary>
    internal static readonly IReadOnlyDictionary<string, string[]> Examples = new Dictionary<string, string[]>
    {
        [""] =
        [
            "hardway up                                 a lab of six machines with a cluster on it",
            "hardway up --machines machines.txt --ssh-user admin --ssh-key KEY",
            "hardway plan                               what up would change now",
            "hardway step show etcd@server-0            one step: what, why, files, commands",
            "hardway verify --junit verify.xml          every verification, expected against seen",
            "hardway break --random; hardway doctor     something to find, and who finds it",
        ],
        ["up"] =
        [
            "hardway up --explain                       each step says what it does and why",
            "hardway up --machines machines.txt --ssh-user admin --ask-password",
            "hardway up --machines machines.txt --ssh-key ~/.ssh/id_ed25519 --key-type rsa",
        ],
        ["preflight"] = ["hardway preflight --machines machines.txt --ssh-user admin --ssh-key KEY", "hardway preflight -o json"],
        ["plan"] = ["hardway plan", "hardway plan --machines machines.txt -o json"],
        ["step"] = ["hardway step list", "hardway step show kubelet@node-0", "hardway step run etcd", "hardway step undo kube-proxy@node-1"],
        ["verify"] = ["hardway verify", "hardway verify --gentle --junit verify.xml", "hardway verify -o json"],
        ["doctor"] = ["hardway doctor", "hardway doctor --matrix forwarding-off swap-on"],
        ["break"] = ["hardway break --list", "hardway break --random", "hardway break --hint", "hardway break --check", "hardway break --undo"],
        ["drill"] =
        [
            "hardway drill --list", "hardway drill scheduler-leader --manner kill", "hardway drill server --manner power-off", "hardway drill --all --svg matrix.svg --html matrix.html",
            "hardway drill etcd-leader --all            every manner of one component",
        ],
        ["what-if"] = ["hardway what-if lose server-0 then server-1"],
        ["node"] = ["hardway node add node-2", "hardway node add node-2 --address 10.240.0.82 --pod-subnet 10.200.2.0/24 --ssh-key KEY", "hardway node remove node-2"],
        ["server"] = ["hardway server add server-3 --address 10.240.0.73 --ssh-key KEY", "hardway server remove server-1", "hardway server add server-2                join again after its disk was lost"],
        ["reset"] = ["hardway reset --yes"],
        ["completion"] = ["source <(hardway completion bash)", "hardway completion fish | source"],
        ["status"] = ["hardway status", "hardway status -o json"],
        ["ssh"] = ["hardway ssh node-0", "hardway ssh server-0 journalctl -u etcd -n 20"],
        ["kubectl"] = ["hardway kubectl get nodes -o wide", "hardway kubectl create deployment web --image=nginx:1.22 --replicas=2"],
        ["explain"] = ["hardway explain pod web-0 -n default"],
        ["lab"] = ["hardway lab up                             bare machines and nothing else", "hardway lab kill server-0; hardway lab start server-0"],
        ["down"] = ["hardway down"],
    };

    public override int Invoke(ParseResult parseResult)
    {
        var result = inner.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        if (Of(parseResult.CommandResult.Command) is { } lines)
        {
            output.WriteLine("Examples:");
            foreach (var line in lines) output.WriteLine("  " + line);
            output.WriteLine();
        }
        output.WriteLine(ExitCodes.Help);
        return result;
    }

    /// <summary>Those of the command, or of the one that it belongs to.</summary>
    internal static string[]? Of(Command command)
    {
        for (var c = command; c is not null; c = c.Parents.OfType<Command>().FirstOrDefault())
            if (Examples.TryGetValue(c is RootCommand ? "" : c.Name, out var lines)) return lines;
        return null;
    }
}

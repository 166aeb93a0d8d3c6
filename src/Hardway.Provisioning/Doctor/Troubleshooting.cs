using System.Text;
using Hardway.Provisioning.Faults;

namespace Hardway.Provisioning.Doctor;

/// <summary>docs/troubleshooting, made of what the doctor knows: each cause with what it shows, where to look, and what it does.</summary>
internal static class Troubleshooting
{
    public static string Render()
    {
        var text = new StringBuilder("""
            # From symptoms to causes

            This is what `hardway doctor` knows, made from its own table (a test keeps it so). Each cause can be put into a cluster to be found: `hardway break NAME`,
            `hardway break --random`; `--hint` gives the lines under "where to look" one by one.

            | what is seen first | cause |
            |---|---|

            """);
        foreach (var fault in FaultTable.All)
        {
            text.Append($"| {fault.Hints[0]} | [{fault.Name}](#{fault.Name}) |\n");
        }

        foreach (var fault in FaultTable.All)
        {
            text.Append($"\n## {fault.Name}\n\n{char.ToUpperInvariant(fault.Title[0])}{fault.Title[1..]}.\n\n{fault.Lesson}\n\nWhere to look:\n\n");
            foreach (var hint in fault.Hints.Skip(1))
            {
                text.Append($"- {hint}\n");
            }
        }

        return text.ToString();
    }
}

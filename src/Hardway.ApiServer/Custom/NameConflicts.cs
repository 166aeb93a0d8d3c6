using Hardway.Api;
using Hardway.Api.ApiExtensions.V1;

namespace Hardway.ApiServer.Custom;

/// <summary>Which of a definition's names it may have: those that no other definition of its group has been given.</summary>
internal static class NameConflicts
{
    /// <summary>The names that are free, and of the last that is not the reason and the message; null when all are free.</summary>
    public static (CustomResourceDefinitionNames Accepted, (string Reason, string Message)? Conflict) Of(CustomResourceDefinition definition, IEnumerable<CustomResourceDefinition> all)
    {
        var (wished, had) = (definition.Spec.Names, definition.Status.AcceptedNames);
        var others = all.Where(o => o.Metadata.Name != definition.Metadata.Name && o.Spec.Group == definition.Spec.Group).Select(o => o.Status.AcceptedNames).ToList();
        var resources = others.SelectMany(o => (string[])[o.Plural, o.Singular, .. o.ShortNames ?? []]).ToHashSet(StringComparer.Ordinal);
        var kinds = others.SelectMany(o => (string[])[o.Kind, o.ListKind]).ToHashSet(StringComparer.Ordinal);
        var accepted = had.Clone();
        (string, string)? conflict = null;

        string Take(string name, string before, HashSet<string> taken, string reason)
        {
            if (name == before || name.Length == 0 || !taken.Contains(name))
            {
                return name;
            }

            conflict = (reason, $"\"{name}\" is already in use");
            return before;
        }

        accepted.Plural = Take(wished.Plural, had.Plural, resources, "PluralConflict");
        accepted.Singular = Take(wished.Singular, had.Singular, resources, "SingularConflict");
        var taken = (wished.ShortNames ?? []).Where(n => had.ShortNames?.Contains(n) != true && resources.Contains(n)).ToList();
        if (taken.Count > 0)
        {
            conflict = ("ShortNamesConflict", string.Join(", ", taken.Select(n => $"\"{n}\" is already in use")));
        }
        else
        {
            accepted.ShortNames = wished.ShortNames is null ? null : [.. wished.ShortNames];
        }

        accepted.Kind = Take(wished.Kind, had.Kind, kinds, "KindConflict");
        accepted.ListKind = Take(wished.ListKind, had.ListKind, kinds, "ListKindConflict");
        accepted.Categories = wished.Categories is null ? null : [.. wished.Categories];
        return (accepted, conflict);
    }
}

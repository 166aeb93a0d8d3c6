using Hardway.Cel;

namespace Hardway.ApiServer.Custom;

/// <summary>What is wrong with a rule: in which of its fields and why.</summary>
internal sealed record RuleFault(string Field, string Message);

/// <summary>A rule that compiles and whose types fit. Immutable, safe for all threads.</summary>
internal sealed class CompiledRule
{
    private static readonly CelEnvironment s_environment = new("self", "oldSelf");

    private CompiledRule(SchemaRule rule, CelProgram program, CelProgram? message, bool isTransition, double cost, double messageCost)
    {
        Rule = rule;
        Program = program;
        Message = message;
        IsTransition = isTransition;
        Cost = cost;
        MessageCost = messageCost;
    }

    public SchemaRule Rule { get; }

    public CelProgram Program { get; }

    public CelProgram? Message { get; }

    /// <summary>It names oldSelf.</summary>
    public bool IsTransition { get; }

    /// <summary>The work of one evaluation at most.</summary>
    public double Cost { get; }

    public double MessageCost { get; }

    /// <summary>Null with the faults where it does not compile.</summary>
    public static CompiledRule? Compile(SchemaRule rule, CelDecl self, List<RuleFault> faults)
    {
        var variables = new Dictionary<string, CelDecl>(StringComparer.Ordinal)
        {
            ["self"] = self,
            ["oldSelf"] = rule.OptionalOldSelf == true ? CelDecl.Optional(self) : self,
        };
        var (program, check) = Compile(rule.Rule, "rule", CelDecl.Bool, variables, faults);
        var (message, messageCheck) = rule.MessageExpression.Trim().Length == 0 ? (null, null) : Compile(rule.MessageExpression, "messageExpression", CelDecl.Text, variables, faults);
        if (program is null || check is null)
        {
            return null;
        }

        var isTransition = check.Names.Contains("oldSelf");
        if (rule.OptionalOldSelf is not null && !isTransition)
        {
            faults.Add(new RuleFault("optionalOldSelf", "may not be set if oldSelf is not used in rule"));
        }

        return new CompiledRule(rule, program, message, isTransition, check.Cost, messageCheck?.Cost ?? 0);
    }

    private static (CelProgram?, CelCheck?) Compile(string expression, string field, CelDecl wanted, Dictionary<string, CelDecl> variables, List<RuleFault> faults)
    {
        try
        {
            var program = s_environment.Compile(expression);
            var check = program.Check(variables);
            if (check.Type.Kind == wanted.Kind)
            {
                return (program, check);
            }

            faults.Add(new RuleFault(field, $"must evaluate to {wanted} but got {check.Type}"));
        }
        catch (Exception e) when (e is CelSyntaxException or CelTypeException)
        {
            faults.Add(new RuleFault(field, "compilation failed: " + e.Message));
        }

        return (null, null);
    }
}

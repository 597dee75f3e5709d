using Cloister.Protocol.Templates.Syntax;

namespace Cloister.Protocol.Templates.Analysis;

/// <summary>
/// Follows the data through a template without running it: which secrets' values can be read. Wherever a value goes that cannot be
/// followed - into a function, a loop, a variable that is set twice - all that it gives access to counts as read.
/// </summary>
internal sealed class SecretUseAnalysis
{
    /// <summary>What is known of a value.</summary>
    private enum Known { Nothing, Text, Root, Previous, Secrets, Secret, Reserved, MarbleCertificate }

    /// <param name="What">What it is.</param>
    /// <param name="Name">The secret's name, or the text.</param>
    /// <param name="IsPrevious">Whether it is of the secrets before the last rotation.</param>
    private readonly record struct Abstract(Known What, string Name = "", bool IsPrevious = false);

    private readonly ParsedTemplate _template;
    private readonly SecretUse _use = new();
    private readonly Queue<(string Template, Abstract Dot)> _calls = new();
    private readonly HashSet<(string Template, Abstract Dot)> _called = [];
    private List<(string Name, Abstract Value)> _variables = [];
    private int _steps;

    private SecretUseAnalysis(ParsedTemplate template) => _template = template;

    public static SecretUse Of(ParsedTemplate template)
    {
        var analysis = new SecretUseAnalysis(template);
        analysis.Call(ParsedTemplate.MainName, new(Known.Root));
        while (analysis._calls.TryDequeue(out (string Template, Abstract Dot) call))
        {
            analysis._variables = [("$", call.Dot)];
            analysis.List(call.Dot, template.Trees[call.Template]);
        }
        return analysis._use;
    }

    private void Call(string name, Abstract dot)
    {
        if (_template.Trees.ContainsKey(name) && _called.Add((name, dot))) _calls.Enqueue((name, dot));
    }

    // Too long to be followed: everything counts as read.
    private bool IsTooLong()
    {
        if (++_steps < Template.MaxSteps) return false;
        _calls.Clear();
        Escape(new(Known.Root));
        return true;
    }

    private void List(Abstract dot, ListNode list)
    {
        foreach (TemplateNode node in list.Nodes)
        {
            if (IsTooLong()) return;
            switch (node)
            {
                case ActionNode action:
                    Abstract value = Pipe(dot, action.Pipe);
                    if (action.Pipe.Declared.Count == 0) Escape(value);
                    break;
                case TemplateCallNode call:
                    Call(call.Name, call.Pipe is null ? default : Pipe(dot, call.Pipe));
                    break;
                case BranchNode branch:
                    int mark = _variables.Count;
                    Abstract subject = Pipe(dot, branch.Pipe);
                    if (branch.Kind == BranchKind.Range)
                    {
                        Escape(subject);
                        subject = default;
                    }
                    List(branch.Kind == BranchKind.If ? dot : subject, branch.List);
                    if (branch.ElseList is not null) List(dot, branch.ElseList);
                    _variables.RemoveRange(mark, _variables.Count - mark);
                    break;
            }
        }
    }

    private Abstract Pipe(Abstract dot, PipeNode pipe)
    {
        Abstract? final = null;
        foreach (CommandNode command in pipe.Commands) final = Command(dot, command, final);
        Abstract value = final ?? default;
        foreach (VariableNode variable in pipe.Declared)
        {
            if (pipe.IsAssignment) Assign(variable.Name, value);
            else _variables.Add((variable.Name, value));
        }
        return value;
    }

    // A variable that held something else may be read before or after, in a loop even in the other order.
    private void Assign(string name, Abstract value)
    {
        int at = _variables.FindLastIndex(variable => variable.Name == name);
        if (at < 0 || _variables[at].Value == value) return;
        Escape(_variables[at].Value);
        Escape(value);
        _variables[at] = (name, default);
    }

    private Abstract Command(Abstract dot, CommandNode command, Abstract? final)
    {
        IsTooLong();
        TemplateNode first = command.Arguments[0];
        List<Abstract> arguments = [.. command.Arguments.Skip(1).Select(argument => Operand(dot, argument))];
        if (final is { } last) arguments.Add(last);
        if (first is IdentifierNode function) return Function(function.Name, arguments);
        Abstract value = Operand(dot, first);
        // Arguments of a method, which reads its receiver too.
        foreach (Abstract argument in arguments) Escape(argument);
        return value;
    }

    private Abstract Function(string name, List<Abstract> arguments)
    {
        switch (name)
        {
            case "len" or "not": return default;
            case "index" when arguments is [{ What: Known.Secrets } map, { What: Known.Text } key]: return Field(map, key.Name);
            case "hex" or "raw" or "base64" or "pem" or "string" when arguments is [{ What: Known.MarbleCertificate }]: return default;
        }
        foreach (Abstract argument in arguments) Escape(argument);
        return default;
    }

    private Abstract Operand(Abstract dot, TemplateNode node)
    {
        IsTooLong();
        return node switch
        {
            DotNode => dot,
            StringNode text => new(Known.Text, System.Text.Encoding.UTF8.GetString(text.Text)),
            FieldNode field => Fields(dot, field.Fields),
            VariableNode variable => Fields(_variables.FindLast(known => known.Name == variable.Name).Value, variable.Fields),
            ChainNode chain => Fields(Operand(dot, chain.Node), chain.Fields),
            PipeNode pipe => Pipe(dot, pipe),
            IdentifierNode function => Function(function.Name, []),
            _ => default,
        };
    }

    private Abstract Fields(Abstract value, IEnumerable<string> names) => names.Aggregate(value, Field);

    private Abstract Field(Abstract value, string name)
    {
        switch (value.What, name)
        {
            case (Known.Root, "SecretsWrapper"): return value;
            case (Known.Root, "Secrets"): return new(Known.Secrets);
            case (Known.Root, "Previous"): return new(Known.Previous);
            case (Known.Root, "MarbleRun"): return new(Known.Reserved);
            case (Known.Previous, "Secrets"): return new(Known.Secrets, IsPrevious: true);
            case (Known.Secrets, _): return new(Known.Secret, name, value.IsPrevious);
            case (Known.Reserved, "MarbleCert"): return new(Known.MarbleCertificate);
            case (Known.MarbleCertificate, "Private"):
            case (Known.Secret, not ("Type" or "Size" or "Shared" or "UserDefined" or "ValidFor" or "EqualDefinition")):
                Escape(value);
                return default;
            default: return default;
        }
    }

    private void Escape(Abstract value)
    {
        switch (value.What)
        {
            case Known.Secret: _use.Read(value.Name, value.IsPrevious); break;
            case Known.Secrets: _use.ReadAny(value.IsPrevious); break;
            case Known.Previous: _use.ReadAny(previous: true); break;
            case Known.Reserved or Known.MarbleCertificate: _use.MarbleKey = true; break;
            case Known.Root:
                _use.ReadAny(previous: false);
                _use.ReadAny(previous: true);
                _use.MarbleKey = true;
                break;
        }
    }
}

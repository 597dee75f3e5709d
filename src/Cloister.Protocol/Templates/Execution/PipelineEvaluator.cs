using Cloister.Protocol.Templates.Syntax;
using Cloister.Protocol.Templates.Values;

namespace Cloister.Protocol.Templates.Execution;

/// <summary>Evaluates pipelines, commands and their operands, and keeps the variables.</summary>
internal sealed class PipelineEvaluator(ParsedTemplate template, FunctionTable functions, WorkBudget budget, TemplateEvaluator evaluator)
{
    private Frame _frame = new("", []);

    private sealed record Frame(string Template, List<(string Name, TemplateValue? Value)> Variables);

    /// <summary>The node being evaluated, which messages point to.</summary>
    public TemplateNode Node { get; set; } = template.Main;

    /// <summary>How many variables there are; set back to leave a scope.</summary>
    public int Mark
    {
        get => _frame.Variables.Count;
        set => _frame.Variables.RemoveRange(value, _frame.Variables.Count - value);
    }

    /// <summary>Starts a template with its argument as $; returns what <see cref="Return"/> goes back to.</summary>
    public object Enter(string name, TemplateValue? argument)
    {
        Frame caller = _frame;
        _frame = new(name, [("$", argument)]);
        return caller;
    }

    public void Return(object caller) => _frame = (Frame)caller;

    public void Assign(string name, TemplateValue? value)
    {
        List<(string Name, TemplateValue? Value)> variables = _frame.Variables;
        int at = Find(name);
        variables[at] = (name, value);
    }

    /// <summary>Sets the n-th variable from the top.</summary>
    public void SetTop(int n, TemplateValue? value) => _frame.Variables[^n] = (_frame.Variables[^n].Name, value);

    public ProtocolException Error(ProtocolError error, string reason) => TemplateError.At(template, _frame.Template, Node, error, reason);

    /// <summary>A value in a message: never one that was computed from a secret.</summary>
    public string Shown(TemplateValue value)
    {
        if (value.IsSecret || value is GoStruct or GoMap or GoPointer) return $"a {value.Type.Name}";
        var text = new Formatting.ByteSink(budget);
        new Formatting.GoPrinter(budget, text).Argument(value, 'v');
        return System.Text.Encoding.UTF8.GetString(text.Written[..Math.Min(text.Length, 100)]);
    }

    /// <summary>A pipeline's value; its variables are declared or set.</summary>
    public TemplateValue? Evaluate(TemplateValue? dot, PipeNode pipe)
    {
        evaluator.Deeper();
        Node = pipe;
        Final final = default;
        foreach (CommandNode command in pipe.Commands)
            final = new Final(Command(dot, command, final), true);
        foreach (VariableNode variable in pipe.Declared)
        {
            if (pipe.IsAssignment) Assign(variable.Name, final.Value);
            else _frame.Variables.Add((variable.Name, final.Value));
        }
        evaluator.Leave();
        return final.Value;
    }

    /// <summary>The last value of a pipeline so far, if there is one: it becomes the next command's last argument.</summary>
    private readonly record struct Final(TemplateValue? Value, bool IsThere);

    private TemplateValue? Command(TemplateValue? dot, CommandNode command, Final final)
    {
        budget.Step();
        List<TemplateNode> arguments = command.Arguments;
        TemplateNode first = arguments[0];
        switch (first)
        {
            case FieldNode field: return Field(dot, field, arguments, final);
            case ChainNode chain: return Chain(dot, chain, arguments, final);
            case VariableNode variable: return Variable(dot, variable, arguments, final);
            case IdentifierNode name: return Call(dot, name, command, arguments, final);
            case PipeNode pipe:
                NotAFunction(arguments, final);
                return Evaluate(dot, pipe);
        }
        Node = first;
        NotAFunction(arguments, final);
        return first switch
        {
            DotNode => dot,
            NilNode => throw Error(ProtocolError.TemplateWrongType, "nil is not a command"),
            _ => Constant(first),
        };
    }

    private void NotAFunction(List<TemplateNode> arguments, Final final)
    {
        if (arguments.Count > 1 || final.IsThere)
            throw Error(ProtocolError.TemplateWrongType, $"can't give argument to non-function {arguments[0]}");
    }

    private TemplateValue? Constant(TemplateNode node)
    {
        Node = node;
        switch (node)
        {
            case BoolNode flag: return GoBool.Of(flag.Value);
            case StringNode text: return new GoString(text.Text);
            case NumberNode number:
                GoNumber value = number.Number;
                if (value.Complex is { } complex) return new GoComplex(complex);
                string source = number.Source;
                bool isHexInteger = source.Length > 2 && source[0] == '0' && source[1] is 'x' or 'X' && !source.AsSpan().ContainsAny('p', 'P');
                if (value.Float is { } real && !isHexInteger && source[0] != '\'' && source.AsSpan().ContainsAny(".eEpP")) return new GoFloat(real);
                if (value.Int is { } integer) return new GoInt(integer);
                throw Error(ProtocolError.TemplateWrongType, $"{source} overflows int");
            default: throw Error(ProtocolError.TemplateWrongType, $"can't evaluate command {GoQuote.Text(node.ToString()!)}");
        }
    }

    private TemplateValue? Field(TemplateValue? dot, FieldNode field, List<TemplateNode>? arguments, Final final)
    {
        Node = field;
        return Fields(dot, dot, field, field.Fields, arguments, final);
    }

    private TemplateValue? Variable(TemplateValue? dot, VariableNode variable, List<TemplateNode>? arguments, Final final)
    {
        Node = variable;
        TemplateValue? value = _frame.Variables[Find(variable.Name)].Value;
        if (variable.Fields.Length > 0) return Fields(dot, value, variable, variable.Fields, arguments, final);
        if (arguments is not null) NotAFunction(arguments, final);
        return value;
    }

    private TemplateValue? Chain(TemplateValue? dot, ChainNode chain, List<TemplateNode>? arguments, Final final)
    {
        Node = chain;
        if (chain.Node is NilNode) throw Error(ProtocolError.TemplateWrongType, $"indirection through explicit nil in {chain}");
        return Fields(dot, Argument(dot, null, chain.Node), chain, chain.Fields, arguments, final);
    }

    private TemplateValue? Fields(TemplateValue? dot, TemplateValue? receiver, TemplateNode node, IReadOnlyList<string> names, List<TemplateNode>? arguments, Final final)
    {
        for (int i = 0; i < names.Count - 1; i++) receiver = OneField(dot, names[i], node, null, default, receiver);
        return OneField(dot, names[^1], node, arguments, final, receiver);
    }

    // A method, a struct's field, or a map's element.
    private TemplateValue? OneField(TemplateValue? dot, string name, TemplateNode node, List<TemplateNode>? arguments, Final final, TemplateValue? receiver)
    {
        budget.Step();
        if (receiver is null) return null;
        GoType type = receiver.Type;
        if (type.Methods.TryGetValue(name, out GoMethod? method))
            return Invoke(dot, new Function(method.Parameters, false, (_, values) => method.Call(receiver, values)), node, name, arguments, final);
        TemplateValue target = receiver;
        while (target is GoPointer { Target: { } inner }) target = inner;
        bool hasArguments = arguments is { Count: > 1 } || final.IsThere;
        switch (target)
        {
            case GoStruct fields when fields.Type.Fields.Any(field => field.Name == name) || SecretValues.IsPromoted(fields.Type, name):
                if (char.IsAsciiLetterLower(name[0])) throw Error(ProtocolError.TemplateUnknown, $"{name} is an unexported field of struct type {type.Name}");
                return hasArguments ? throw Error(ProtocolError.TemplateWrongType, $"{name} has arguments but cannot be invoked as function") : fields.Field(name);
            case GoMap map:
                return hasArguments ? throw Error(ProtocolError.TemplateWrongType, $"{name} is not a method but has arguments") : map.Find(name);
            case GoPointer when type.Methods.Count == 0:
                throw Error(ProtocolError.TemplateWrongType, $"nil pointer evaluating {type.Name}.{name}");
        }
        throw Error(ProtocolError.TemplateUnknown, $"can't evaluate field {name} in type {type.Name}");
    }

    private TemplateValue? Call(TemplateValue? dot, IdentifierNode name, TemplateNode command, List<TemplateNode>? arguments, Final final)
    {
        Node = name;
        return name.Name switch
        {
            "and" or "or" => ShortCircuit(dot, name.Name, arguments, final),
            "call" => Invoke(dot, NoFunction(arguments is { Count: > 1 } ? arguments[1].ToString()! : $"<{final.Value?.Type.Name} Value>"), command, name.Name, arguments, final),
            _ => Invoke(dot, functions[name.Name], command, name.Name, arguments, final),
        };
    }

    // MarbleRun's data holds no functions, so there is nothing to call.
    private static Function NoFunction(string callee) => new([GoParameter.Any], true, (_, values) =>
        throw new GoCallException(values[0] is null ? "call of nil" : $"non-function {callee} of type {values[0]!.Type.Name}"));

    // and / or stop at the first argument that decides.
    private TemplateValue? ShortCircuit(TemplateValue? dot, string name, List<TemplateNode>? arguments, Final final)
    {
        int count = arguments is null ? 0 : arguments.Count - 1;
        if (count == 0 && !final.IsThere) throw Error(ProtocolError.TemplateWrongType, $"wrong number of args for {name}: want at least 1 got 0");
        TemplateValue? value = null;
        for (int i = 1; i <= count; i++)
        {
            value = Argument(dot, GoParameter.Any, arguments![i]);
            if (value is { IsTrue: true } == (name == "or")) return value;
        }
        return final.IsThere ? final.Value : value;
    }

    private TemplateValue? Invoke(TemplateValue? dot, Function function, TemplateNode node, string name, List<TemplateNode>? arguments, Final final)
    {
        int given = arguments is null ? 0 : arguments.Count - 1, count = given + (final.IsThere ? 1 : 0), wanted = function.Fixed.Length;
        if (function.IsVariadic ? count < wanted : count != wanted)
        {
            throw Error(ProtocolError.TemplateWrongType, function.IsVariadic
                ? $"wrong number of args for {name}: want at least {wanted} got {given}"
                : $"wrong number of args for {name}: want {wanted} got {count}");
        }
        var values = new TemplateValue?[count];
        for (int i = 0; i < given; i++) values[i] = Argument(dot, i < wanted ? function.Fixed[i] : GoParameter.Any, arguments![i + 1]);
        if (final.IsThere) values[^1] = Assignable(final.Value, count <= wanted ? function.Fixed[count - 1] : GoParameter.Any);
        try
        {
            return function.Call(budget, values);
        }
        catch (GoCallException error)
        {
            Node = node;
            throw Error(error.Error, $"error calling {name}: {error.Message}");
        }
    }

    /// <summary>An argument's value, for a parameter; null where none is known.</summary>
    private TemplateValue? Argument(TemplateValue? dot, GoParameter? parameter, TemplateNode node)
    {
        Node = node;
        switch (node)
        {
            case DotNode: return Assignable(dot, parameter);
            case NilNode: return parameter?.Type is null ? null : throw Error(ProtocolError.TemplateWrongType, $"cannot assign nil to {parameter.Type.Name}");
            case FieldNode field: return Assignable(Field(dot, field, null, default), parameter);
            case VariableNode variable: return Assignable(Variable(dot, variable, null, default), parameter);
            case PipeNode pipe: return Assignable(Evaluate(dot, pipe), parameter);
            case IdentifierNode name: return Assignable(Call(dot, name, name, null, default), parameter);
            case ChainNode chain: return Assignable(Chain(dot, chain, null, default), parameter);
        }
        budget.Step();
        return parameter?.Type switch
        {
            null => Constant(node),
            { Kind: TemplateValueKind.String } when node is StringNode => Constant(node),
            { Kind: TemplateValueKind.Int } when node is NumberNode { Number.Int: { } integer } => new GoInt(integer),
            { Kind: TemplateValueKind.String } => throw Error(ProtocolError.TemplateWrongType, $"expected string; found {node}"),
            { Kind: TemplateValueKind.Int } => throw Error(ProtocolError.TemplateWrongType, $"expected integer; found {node}"),
            var type => throw Error(ProtocolError.TemplateWrongType, $"can't handle {node} for arg of type {type.Name}"),
        };
    }

    private TemplateValue? Assignable(TemplateValue? value, GoParameter? parameter)
    {
        if (parameter?.Type is not { } type || value?.Type == type) return value;
        throw Error(ProtocolError.TemplateWrongType, value is null
            ? $"invalid value; expected {type.Name}"
            : $"wrong type for value; expected {type.Name}; got {value.Type.Name}");
    }

    private int Find(string name)
    {
        List<(string Name, TemplateValue? Value)> variables = _frame.Variables;
        for (int i = variables.Count - 1; i >= 0; i--)
        {
            if (variables[i].Name != name) continue;
            budget.Step(1 + (variables.Count - i) / 16);
            return i;
        }
        throw Error(ProtocolError.TemplateUnknown, $"undefined variable: {name}");
    }
}

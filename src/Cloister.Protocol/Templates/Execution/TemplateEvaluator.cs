using System.Runtime.CompilerServices;
using Cloister.Protocol.Templates.Formatting;
using Cloister.Protocol.Templates.Syntax;
using Cloister.Protocol.Templates.Values;

namespace Cloister.Protocol.Templates.Execution;

/// <summary>Runs a template's structure: text, actions, branches, loops, calls of other templates. Go's exec.go is its model, its messages included.</summary>
internal sealed class TemplateEvaluator
{
    private enum Flow { Next, Break, Continue }

    private readonly ParsedTemplate _template;
    private readonly WorkBudget _budget;
    private readonly ByteSink _output;
    private readonly GoPrinter _printer;
    private int _depth;

    private TemplateEvaluator(ParsedTemplate template, FunctionTable functions, WorkBudget budget)
    {
        (_template, _budget) = (template, budget);
        _output = new ByteSink(budget);
        _printer = new GoPrinter(budget, _output);
        Pipelines = new PipelineEvaluator(template, functions, budget, this);
    }

    private PipelineEvaluator Pipelines { get; }

    /// <summary>Renders the template; the caller owns the bytes.</summary>
    public static byte[] Run(ParsedTemplate template, FunctionTable functions, TemplateValue data, WorkBudget budget)
    {
        var evaluator = new TemplateEvaluator(template, functions, budget);
        evaluator.Pipelines.Enter(ParsedTemplate.MainName, data);
        evaluator.Walk(data, template.Main);
        return evaluator._output.Written.ToArray();
    }

    /// <summary>Goes one level deeper into nested pipelines, branches and templates; pair it with <see cref="Leave"/>.</summary>
    public void Deeper()
    {
        _budget.Step();
        if (++_depth > Template.MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Pipelines.Error(ProtocolError.TemplateTooDeep, $"exceeded maximum template depth ({Template.MaxDepth})");
    }

    public void Leave() => _depth--;

    private Flow Walk(TemplateValue? dot, TemplateNode node)
    {
        _budget.Step();
        Pipelines.Node = node;
        switch (node)
        {
            case TextNode text:
                _output.Write(text.Text.Span);
                return Flow.Next;
            case ActionNode action:
                // Variables that it declares live until the next end; a value that is declared is not written.
                TemplateValue? value = Pipelines.Evaluate(dot, action.Pipe);
                if (action.Pipe.Declared.Count == 0) Write(action, value);
                return Flow.Next;
            case ListNode list:
                foreach (TemplateNode one in list.Nodes)
                    if (Walk(dot, one) is var flow and not Flow.Next) return flow;
                return Flow.Next;
            case JumpNode jump: return jump.IsBreak ? Flow.Break : Flow.Continue;
            case TemplateCallNode call:
                Call(dot, call);
                return Flow.Next;
            default:
                Deeper();
                var branch = (BranchNode)node;
                Flow after = branch.Kind == BranchKind.Range ? Range(dot, branch) : Branch(dot, branch);
                Leave();
                return after;
        }
    }

    private void Write(ActionNode action, TemplateValue? value)
    {
        Pipelines.Node = action;
        if (value is null)
        {
            _output.Write("<no value>"u8);
            return;
        }
        _printer.Writer.Flags = default;
        _printer.Argument(value, 'v');
    }

    private Flow Branch(TemplateValue? dot, BranchNode branch)
    {
        int mark = Pipelines.Mark;
        TemplateValue? value = Pipelines.Evaluate(dot, branch.Pipe);
        Flow flow = value is { IsTrue: true } ? Walk(branch.Kind == BranchKind.With ? value : dot, branch.List)
            : branch.ElseList is not null ? Walk(dot, branch.ElseList)
            : Flow.Next;
        Pipelines.Mark = mark;
        return flow;
    }

    private Flow Range(TemplateValue? dot, BranchNode range)
    {
        Pipelines.Node = range;
        int outer = Pipelines.Mark;
        TemplateValue? value = Pipelines.Evaluate(dot, range.Pipe);
        while (value is GoPointer { Target: not null } pointer) value = pointer.Target;
        bool any = false;
        Flow flow = Flow.Next;
        foreach ((TemplateValue? index, TemplateValue? element) in Iterations(value, range))
        {
            any = true;
            flow = Iterate(index, element, range);
            if (flow == Flow.Break) break;
        }
        flow = !any && range.ElseList is not null ? Walk(dot, range.ElseList) : Flow.Next;
        Pipelines.Mark = outer;
        return flow;
    }

    private Flow Iterate(TemplateValue? index, TemplateValue? element, BranchNode range)
    {
        _budget.Step();
        int mark = Pipelines.Mark;
        List<VariableNode> declared = range.Pipe.Declared;
        if (range.Pipe.IsAssignment)
        {
            if (declared.Count > 0) Pipelines.Assign(declared[0].Name, declared.Count > 1 ? index : element);
            if (declared.Count > 1) Pipelines.Assign(declared[1].Name, element);
        }
        else
        {
            if (declared.Count > 0) Pipelines.SetTop(1, element);
            if (declared.Count > 1) Pipelines.SetTop(2, index);
        }
        Flow flow = Walk(element, range.List);
        Pipelines.Mark = mark;
        return flow;
    }

    private IEnumerable<(TemplateValue? Index, TemplateValue? Element)> Iterations(TemplateValue? value, BranchNode range)
    {
        switch (value)
        {
            case null: yield break;
            case GoBytes bytes:
                for (int i = 0; i < bytes.Length; i++)
                    yield return (new GoInt(i), new GoUint(bytes.Bytes.Span[i], GoType.Uint8) { IsSecret = bytes.IsSecret });
                yield break;
            case GoList list:
                for (int i = 0; i < list.Items.Count; i++) yield return (new GoInt(i), list.Items[i]);
                yield break;
            case GoMap map:
                foreach (string key in map.SortedKeys) yield return (GoString.Of(key), map.Find(key));
                yield break;
            case GoInt or GoUint when range.Pipe.Declared.Count > 1:
                throw Pipelines.Error(ProtocolError.TemplateWrongType, $"can't use {Pipelines.Shown(value)} to iterate over more than one variable");
            case GoInt number:
                for (long i = 0; i < number.Value; i++) yield return (null, new GoInt(i, number.Type));
                yield break;
            case GoUint number:
                for (ulong i = 0; i < number.Value; i++) yield return (null, new GoUint(i, number.Type));
                yield break;
            default: throw Pipelines.Error(ProtocolError.TemplateWrongType, $"range can't iterate over {Pipelines.Shown(value)}");
        }
    }

    private void Call(TemplateValue? dot, TemplateCallNode call)
    {
        if (!_template.Trees.TryGetValue(call.Name, out ListNode? body))
            throw Pipelines.Error(ProtocolError.TemplateUnknown, $"template {GoQuote.Text(call.Name)} not defined");
        Deeper();
        // No dynamic scoping: the called template sees its argument, as dot and $, and no variable of the caller's.
        TemplateValue? argument = call.Pipe is null ? null : Pipelines.Evaluate(dot, call.Pipe);
        object caller = Pipelines.Enter(call.Name, argument);
        Walk(argument, body);
        Pipelines.Return(caller);
        Leave();
    }
}

using System.Collections.Frozen;
using Cloister.Protocol.Templates.Syntax;
using Cloister.Protocol.Templates.Values;

namespace Cloister.Protocol.Templates.Execution;

/// <summary>The functions of files or of variables: Go's own, and MarbleRun's.</summary>
internal sealed class FunctionTable
{
    public static readonly FunctionTable OfFiles = new(SecretFunctions.OfFiles);
    public static readonly FunctionTable OfVariables = new(SecretFunctions.OfVariables);

    private readonly FrozenDictionary<string, Function> _functions;

    private FunctionTable(IEnumerable<KeyValuePair<string, Function>> own)
    {
        Dictionary<string, Function> all = new(StringComparer.Ordinal)
        {
            ["index"] = Of(1, true, (budget, values) => Collections.Index(budget, values)),
            ["slice"] = Of(1, true, (_, values) => Collections.Slice(values)),
            ["len"] = Of(1, false, (_, values) => Collections.Length(values[0])),
            ["not"] = Of(1, false, (_, values) => GoBool.Of(values[0] is not { IsTrue: true })),
            ["eq"] = Of(1, true, (budget, values) => GoBool.Of(Comparisons.Equal(budget, values))),
            ["ne"] = Of(2, false, (budget, values) => GoBool.Of(!Comparisons.Equal(budget, values))),
            ["lt"] = Of(2, false, (budget, values) => GoBool.Of(Comparisons.Less(budget, values))),
            ["le"] = Of(2, false, (budget, values) => GoBool.Of(Comparisons.LessOrEqual(budget, values))),
            ["gt"] = Of(2, false, (budget, values) => GoBool.Of(!Comparisons.LessOrEqual(budget, values))),
            ["ge"] = Of(2, false, (budget, values) => GoBool.Of(!Comparisons.Less(budget, values))),
            ["print"] = Of(0, true, Texts.Print),
            ["println"] = Of(0, true, Texts.PrintLine),
            ["printf"] = new([GoParameter.Text], true, Texts.PrintFormat),
            ["html"] = Of(0, true, (budget, values) => Texts.Escape(budget, values, Escapes.Html)),
            ["js"] = Of(0, true, (budget, values) => Texts.Escape(budget, values, Escapes.JavaScript)),
            ["urlquery"] = Of(0, true, (budget, values) => Texts.Escape(budget, values, Escapes.UrlQuery)),
        };
        foreach ((string name, Function function) in own) all.Add(name, function);
        _functions = all.ToFrozenDictionary(StringComparer.Ordinal);
        Names = new FunctionNames([.. all.Keys, "and", "or", "call"]);
    }

    public static FunctionTable Of(TemplateKind kind) => kind == TemplateKind.File ? OfFiles : OfVariables;

    public FunctionNames Names { get; }

    public Function this[string name] => _functions[name];

    private static Function Of(int parameters, bool isVariadic, Func<WorkBudget, TemplateValue?[], TemplateValue?> call) =>
        new([.. Enumerable.Repeat(GoParameter.Any, parameters)], isVariadic, call);
}

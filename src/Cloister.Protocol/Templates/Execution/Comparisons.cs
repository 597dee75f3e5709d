using Cloister.Protocol.Templates.Values;

namespace Cloister.Protocol.Templates.Execution;

/// <summary>eq, ne, lt, le, gt, ge.</summary>
internal static class Comparisons
{
    /// <summary>Whether the first equals any other.</summary>
    public static bool Equal(WorkBudget budget, TemplateValue?[] values)
    {
        if (values.Length < 2) throw new GoCallException("missing argument for comparison");
        foreach (TemplateValue? other in values.AsSpan(1))
            if (Same(budget, values[0], other)) return true;
        return false;
    }

    public static bool LessOrEqual(WorkBudget budget, TemplateValue?[] values) => Less(budget, values) || Same(budget, values[0], values[1]);

    public static bool Less(WorkBudget budget, TemplateValue?[] values)
    {
        if (!IsBasic(values[0]) || !IsBasic(values[1])) throw new GoCallException("invalid type for comparison");
        switch (values[0], values[1])
        {
            case (GoInt a, GoInt b): return a.Value < b.Value;
            case (GoUint a, GoUint b): return a.Value < b.Value;
            case (GoInt a, GoUint b): return a.Value < 0 || (ulong)a.Value < b.Value;
            case (GoUint a, GoInt b): return b.Value >= 0 && a.Value < (ulong)b.Value;
            case (GoFloat a, GoFloat b): return a.Value < b.Value;
            case (GoString a, GoString b):
                budget.Step(Math.Min(a.Bytes.Length, b.Bytes.Length) / 16);
                return a.Bytes.Span.SequenceCompareTo(b.Bytes.Span) < 0;
            case (GoBool or GoComplex, _) when values[0]!.Kind == values[1]!.Kind: throw new GoCallException("invalid type for comparison");
            default: throw Incompatible(values[0]!, values[1]!);
        }
    }

    private static bool Same(WorkBudget budget, TemplateValue? one, TemplateValue? two)
    {
        budget.Step();
        switch (one, two)
        {
            case (GoInt a, GoInt b): return a.Value == b.Value;
            case (GoUint a, GoUint b): return a.Value == b.Value;
            case (GoInt a, GoUint b): return a.Value >= 0 && (ulong)a.Value == b.Value;
            case (GoUint a, GoInt b): return b.Value >= 0 && a.Value == (ulong)b.Value;
            case (GoFloat a, GoFloat b): return a.Value == b.Value;
            case (GoComplex a, GoComplex b): return a.Value == b.Value;
            case (GoBool a, GoBool b): return a.Value == b.Value;
            case (GoString a, GoString b):
                budget.Step(Math.Min(a.Bytes.Length, b.Bytes.Length) / 16);
                return a.Bytes.Span.SequenceEqual(b.Bytes.Span);
        }
        // From here on at least one is no basic value, or they are of different kinds.
        if (IsBasic(one) || IsBasic(two)) return one is null || two is null ? false : throw Incompatible(one, two);
        if (one is not null && two is not null && one.Kind != two.Kind) throw new GoCallException($"non-comparable types {one.Type.Name}, {two.Type.Name}");
        if (IsNil(one) || IsNil(two)) return IsNil(one) == IsNil(two);
        if (!two!.Type.IsComparable) throw new GoCallException($"non-comparable type {two.Type.Name}");
        return one is GoTime a1 && two is GoTime b1 ? a1.IsSame(b1) : ReferenceEquals(one, two);
    }

    private static bool IsBasic(TemplateValue? value) => value is GoInt or GoUint or GoFloat or GoComplex or GoBool or GoString;

    private static bool IsNil(TemplateValue? value) => value switch
    {
        null => true,
        GoBytes bytes => bytes.IsNil,
        GoList list => list.Items.Count == 0,
        GoPointer pointer => pointer.Target is null,
        _ => false,
    };

    private static GoCallException Incompatible(TemplateValue one, TemplateValue two) => new($"incompatible types for comparison: {one.Type.Name} and {two.Type.Name}");
}

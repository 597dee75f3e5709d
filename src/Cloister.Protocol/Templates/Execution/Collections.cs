using Cloister.Protocol.Templates.Values;

namespace Cloister.Protocol.Templates.Execution;

/// <summary>index, slice and len.</summary>
internal static class Collections
{
    public static TemplateValue? Index(WorkBudget budget, TemplateValue?[] values)
    {
        TemplateValue? item = values[0] ?? throw new GoCallException("index of untyped nil");
        foreach (TemplateValue? index in values.AsSpan(1))
        {
            budget.Step();
            while (item is GoPointer pointer) item = pointer.Target ?? throw new GoCallException("index of nil pointer");
            item = item switch
            {
                GoString text => new GoUint(text.Bytes.Span[Below(index, text.Bytes.Length, "string")], GoType.Uint8) { IsSecret = text.IsSecret },
                GoBytes bytes => new GoUint(bytes.Bytes.Span[Below(index, bytes.Length, "slice")], GoType.Uint8) { IsSecret = bytes.IsSecret },
                GoList list => list.Items[Below(index, list.Items.Count, "slice")],
                GoMap map => Find(map, index),
                null => throw new GoCallException("index of untyped nil"),
                _ => throw new GoCallException($"can't index item of type {item.Type.Name}"),
            };
        }
        return item;
    }

    public static TemplateValue Slice(TemplateValue?[] values)
    {
        TemplateValue item = values[0] ?? throw new GoCallException("slice of untyped nil");
        int given = values.Length - 1;
        if (given > 3) throw new GoCallException($"too many slice indexes: {given}");
        if (item is GoString && given == 3) throw new GoCallException("cannot 3-index slice a string");
        (int length, int capacity) = item switch
        {
            GoString text => (text.Bytes.Length, text.Bytes.Length),
            GoBytes bytes => (bytes.Length, bytes.WithCapacity.Length),
            GoList list => (list.Items.Count, list.Items.Count),
            _ => throw new GoCallException($"can't slice item of type {item.Type.Name}"),
        };
        Span<int> at = [0, length, capacity];
        for (int i = 0; i < given; i++) at[i] = Position(values[i + 1], capacity);
        if (at[0] > at[1]) throw new GoCallException($"invalid slice index: {at[0]} > {at[1]}");
        if (given == 3 && at[1] > at[2]) throw new GoCallException($"invalid slice index: {at[1]} > {at[2]}");
        return item switch
        {
            GoString text => new GoString(text.Bytes[at[0]..at[1]]) { IsSecret = text.IsSecret },
            GoBytes bytes => new GoBytes(bytes.WithCapacity[at[0]..at[2]], at[1] - at[0], bytes.Type) { IsSecret = bytes.IsSecret },
            _ => new GoList(item.Type, [.. ((GoList)item).Items.Skip(at[0]).Take(at[1] - at[0])]),
        };
    }

    public static TemplateValue Length(TemplateValue? item)
    {
        while (item is GoPointer pointer) item = pointer.Target ?? throw new GoCallException("len of nil pointer");
        return new GoInt(item switch
        {
            GoString text => text.Bytes.Length,
            GoBytes bytes => bytes.Length,
            GoList list => list.Items.Count,
            GoMap map => map.Count,
            // Go asks the invalid value for its type, and recovers from the panic.
            null => throw new GoCallException("reflect: call of reflect.Value.Type on zero Value"),
            _ => throw new GoCallException($"len of type {item.Type.Name}"),
        });
    }

    private static TemplateValue Find(GoMap map, TemplateValue? key) => key switch
    {
        GoString name => map.Find(System.Text.Encoding.UTF8.GetString(name.Bytes.Span)) ?? map.Zero,
        null => throw new GoCallException("value is nil; should be of type string"),
        _ => throw new GoCallException($"value has type {key.Type.Name}; should be string"),
    };

    // Go lets the length itself through its own check and then fails inside reflect.
    private static int Below(TemplateValue? index, int length, string what)
    {
        int at = Position(index, length);
        return at < length ? at : throw new GoCallException($"reflect: {what} index out of range");
    }

    private static int Position(TemplateValue? index, int limit)
    {
        Int128 at = index switch
        {
            GoInt number => number.Value,
            GoUint number => unchecked((long)number.Value),
            null => throw new GoCallException("cannot index slice/array with nil"),
            _ => throw new GoCallException($"cannot index slice/array with type {index.Type.Name}"),
        };
        if (at >= 0 && at <= limit) return (int)at;
        throw new GoCallException(index.IsSecret ? "index out of range" : $"index out of range: {at}");
    }
}

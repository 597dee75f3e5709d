using System.Collections.Immutable;
using System.Globalization;

namespace Cloister.Protocol.Manifest;

/// <summary>A value with its place: our path (with names of map entries), and Go's (without), for Go's messages.</summary>
internal readonly record struct GoNode(GoValue Value, string Field, string GoStruct, string GoPath)
{
    public GoNode Child(string name, GoValue value, string goStruct) => new(
        value,
        Field.Length == 0 ? name : $"{Field}.{name}",
        goStruct,
        GoPath.Length == 0 ? name : $"{GoPath}.{name}");

    /// <summary>An entry of a map: Go's path does not name it.</summary>
    public GoNode Entry(string key, GoValue value) => this with { Value = value, Field = $"{Field}.{key}" };
}

/// <summary>
/// Decodes values as Go's encoding/json does into its types: null leaves a scalar as it is, of repeated members the last wins
/// and repeated maps merge. In Cloister's dialect names match exactly, and unknown and repeated members are problems.
/// A wrong type is a problem and leaves the value as it was.
/// </summary>
internal sealed class GoDecoder(ManifestProblems problems)
{
    private const string Stage = "unmarshaling manifest: ";

    public bool IsCloister => problems.IsCloister;

    /// <summary>The members of a struct under their declared names, in the document's order.</summary>
    public IEnumerable<(string Name, GoNode Node)> Members(GoNode node, string goStruct, string[] names, string? goType = null)
    {
        if (!IsObject(node, goType ?? $"manifest.{goStruct}")) yield break;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string written, GoValue value) in node.Value.Members)
        {
            string? name = Match(written, names);
            if (IsCloister)
            {
                if (!seen.Add(written)) problems.Add(ManifestProblemCode.RepeatedMember, $"{node.Field}.{written}".TrimStart('.'), $"member '{written}' appears twice");
                if (name is null) problems.Add(ManifestProblemCode.UnknownMember, $"{node.Field}.{written}".TrimStart('.'), Unknown(written, names));
            }
            if (name is not null) yield return (name, node.Child(name, value, goStruct));
        }
    }

    /// <summary>A map merged into the one before it; null empties it.</summary>
    public ImmutableSortedDictionary<string, T> Map<T>(GoNode node, ImmutableSortedDictionary<string, T> before, string goType, Func<GoNode, T> read)
    {
        if (node.Value.Kind == GoKind.Null) return before.Clear();
        if (!IsObject(node, $"map[string]{goType}")) return before;
        ImmutableSortedDictionary<string, T>.Builder map = before.ToBuilder();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string key, GoValue value) in node.Value.Members)
        {
            if (IsCloister && !seen.Add(key)) problems.Add(ManifestProblemCode.RepeatedMember, $"{node.Field}.{key}", $"'{key}' appears twice");
            map[key] = read(node.Entry(key, value));
        }
        return map.ToImmutable();
    }

    public ImmutableArray<T> List<T>(GoNode node, ImmutableArray<T> before, string goType, Func<GoNode, T> read)
    {
        if (node.Value.Kind == GoKind.Null) return [];
        if (node.Value.Kind != GoKind.Array)
        {
            WrongType(node, goType);
            return before;
        }
        ImmutableArray<T>.Builder list = ImmutableArray.CreateBuilder<T>(node.Value.Items.Count);
        for (int i = 0; i < node.Value.Items.Count; i++)
            list.Add(read(node.Entry(i.ToString(CultureInfo.InvariantCulture), node.Value.Items[i])));
        return list.ToImmutable();
    }

    public ImmutableArray<string> Strings(GoNode node, ImmutableArray<string> before) => List(node, before, "[]string", item => String(item, ""));

    public string String(GoNode node, string before)
    {
        if (node.Value.Kind == GoKind.String) return node.Value.Text;
        if (node.Value.Kind != GoKind.Null) WrongType(node, "string");
        return before;
    }

    public bool Bool(GoNode node, bool before)
    {
        if (node.Value.Kind == GoKind.Bool) return node.Value.Boolean;
        if (node.Value.Kind != GoKind.Null) WrongType(node, "bool");
        return before;
    }

    /// <summary>A Go unsigned integer: digits alone; a sign, point, exponent or a value over <paramref name="max"/> is refused.</summary>
    public ulong UInt(GoNode node, ulong before, ulong max = ulong.MaxValue, string goType = "uint")
    {
        if (node.Value.Kind == GoKind.Null) return before;
        if (node.Value.Kind != GoKind.Number)
        {
            WrongType(node, goType);
            return before;
        }
        if (ulong.TryParse(node.Value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) && number <= max) return number;
        Cannot(node, $"number {node.Value.Text}", goType);
        return before;
    }

    /// <summary>A Go int: no point, no exponent, 64 bits.</summary>
    public long Int(GoNode node, long before, string goType)
    {
        if (node.Value.Kind == GoKind.Null) return before;
        if (node.Value.Kind != GoKind.Number)
        {
            WrongType(node, goType);
            return before;
        }
        if (long.TryParse(node.Value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)) return number;
        Cannot(node, $"number {node.Value.Text}", goType);
        return before;
    }

    /// <summary>A pointer to an unsigned integer: null unsets it.</summary>
    public ulong? OptionalUInt(GoNode node, ulong? before, ulong max = ulong.MaxValue, string goType = "uint")
    {
        if (node.Value.Kind == GoKind.Null) return null;
        int problemsBefore = problems.Count;
        ulong number = UInt(node, 0, max, goType);
        return problems.Count == problemsBefore ? number : before;
    }

    /// <summary>A []byte: base64 text or an array of 0 to 255.</summary>
    public ReadOnlyMemory<byte> Bytes(GoNode node, ReadOnlyMemory<byte> before)
    {
        switch (node.Value.Kind)
        {
            case GoKind.Null:
                return default;
            case GoKind.String:
                if (GoBase64.TryDecode(node.Value.Text, out byte[] bytes)) return bytes;
                problems.Add(ManifestProblemCode.BadEncoding, node.Field, Stage + "illegal base64 data");
                return before;
            case GoKind.Array:
                return List(node, ImmutableArray<byte>.Empty, "[]uint8", item => (byte)UInt(item, 0, byte.MaxValue, "uint8")).AsMemory();
            default:
                WrongType(node, "[]uint8");
                return before;
        }
    }

    public void Refuse(ManifestProblemCode code, GoNode node, string message) => problems.Add(code, node.Field, Stage + message);

    public void WrongType(GoNode node, string goType) => Cannot(node, KindName(node.Value.Kind), goType);

    public static string KindName(GoKind kind) => kind switch
    {
        GoKind.Bool => "bool",
        GoKind.Number => "number",
        GoKind.String => "string",
        GoKind.Array => "array",
        GoKind.Object => "object",
        _ => "null",
    };

    private bool IsObject(GoNode node, string goType)
    {
        if (node.Value.Kind == GoKind.Object) return true;
        if (node.Value.Kind != GoKind.Null) WrongType(node, goType);
        return false;
    }

    private void Cannot(GoNode node, string what, string goType)
    {
        string where = node.GoPath.Length == 0 ? $"Go value of type {goType}" : $"Go struct field {node.GoStruct}.{node.GoPath} of type {goType}";
        problems.Add(ManifestProblemCode.WrongType, node.Field, $"{Stage}json: cannot unmarshal {what} into {where}");
    }

    private string? Match(string written, string[] names)
    {
        foreach (string name in names)
            if (name == written) return name;
        if (IsCloister) return null;
        foreach (string name in names)
            if (FoldEquals(name, written)) return name;
        return null;
    }

    private static string Unknown(string written, string[] names)
    {
        foreach (string name in names)
            if (FoldEquals(name, written)) return $"unknown member '{written}': it is written '{name}'";
        return $"unknown member '{written}'";
    }

    // Go folds ASCII case, and the two characters outside ASCII whose simple folding is an ASCII letter.
    private static bool FoldEquals(string name, string written)
    {
        if (name.Length != written.Length) return false;
        for (int i = 0; i < name.Length; i++)
            if (Fold(name[i]) != Fold(written[i])) return false;
        return true;
    }

    private static char Fold(char c) => c switch
    {
        >= 'A' and <= 'Z' => (char)(c | 0x20),
        '\u212A' => 'k', // KELVIN SIGN
        '\u017F' => 's', // LATIN SMALL LETTER LONG S
        _ => c,
    };
}

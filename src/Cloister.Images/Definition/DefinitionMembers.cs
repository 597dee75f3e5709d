using System.Collections.Immutable;
using System.Text.Json;

namespace Cloister.Images.Definition;

/// <summary>The members of one object of a definition: known ones at most once, no others. A member that is absent or null has its default.</summary>
internal sealed class DefinitionMembers
{
    private const int MaximumText = 4096, MaximumItems = 1024;

    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.Ordinal);
    private readonly string _at;

    public DefinitionMembers(JsonElement value, string at, params ReadOnlySpan<string> known)
    {
        _at = at;
        if (value.ValueKind != JsonValueKind.Object) throw Refuse(at.Length == 0 ? "the definition" : at, "is not a map of members");
        foreach (JsonProperty member in value.EnumerateObject())
        {
            if (!known.Contains(member.Name)) throw Refuse(At(member.Name), $"is not known here; known are {string.Join(", ", known!)}");
            if (!_members.TryAdd(member.Name, member.Value)) throw Refuse(At(member.Name), "stands twice");
        }
    }

    public static ImageException Refuse(string at, string reason) => new(ImageError.DefinitionInvalid, $"{at} {reason}.");

    public string At(string name) => _at.Length == 0 ? name : $"{_at}.{name}";

    public JsonElement? Element(string name) => _members.TryGetValue(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public string? Text(string name) => Element(name) is { } value ? TextOf(value, At(name)) : null;

    public bool Flag(string name, bool otherwise) => Element(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Refuse(At(name), "is not true or false"),
    };

    public int Number(string name, int otherwise, int minimum, int maximum) =>
        Element(name) is { } value ? NumberOf(value, At(name), minimum, maximum) : otherwise;

    public T Word<T>(string name, T otherwise)
        where T : struct, Enum
    {
        if (Text(name) is not { } text) return otherwise;
        foreach (T one in Enum.GetValues<T>())
            if (text == ImageDefinitionJson.Word(one)) return one;
        throw Refuse(At(name), $"is '{text}', not one of {string.Join(", ", Enum.GetValues<T>().Select(ImageDefinitionJson.Word))}");
    }

    public ImmutableArray<T> List<T>(string name, Func<JsonElement, string, T> one)
    {
        if (Element(name) is not { } list) return [];
        if (list.ValueKind != JsonValueKind.Array) throw Refuse(At(name), "is not a list");
        if (list.GetArrayLength() > MaximumItems) throw Refuse(At(name), $"has more than {MaximumItems} items");
        return [.. list.EnumerateArray().Select((item, index) => one(item, $"{At(name)}[{index}]"))];
    }

    public ImmutableArray<string> Texts(string name) => List(name, TextOf);

    public ImmutableSortedDictionary<string, T> Map<T>(string name, Func<JsonElement, string, T> one)
    {
        if (Element(name) is not { } map) return ImmutableSortedDictionary.Create<string, T>(StringComparer.Ordinal);
        if (map.ValueKind != JsonValueKind.Object) throw Refuse(At(name), "is not a map of names to values");
        var read = ImmutableSortedDictionary.CreateBuilder<string, T>(StringComparer.Ordinal);
        foreach (JsonProperty member in map.EnumerateObject())
        {
            string at = $"{At(name)}.{member.Name}";
            if (read.Count == MaximumItems) throw Refuse(At(name), $"has more than {MaximumItems} members");
            if (!read.TryAdd(member.Name, one(member.Value, at))) throw Refuse(at, "stands twice");
        }
        return read.ToImmutable();
    }

    public static string TextOf(JsonElement value, string at)
    {
        string text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            // A plain 8080 or true of YAML, where a text is meant.
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => throw Refuse(at, "is not a text"),
        };
        if (text.Length > MaximumText) throw Refuse(at, $"has more than {MaximumText} characters");
        if (text.Contains('\0', StringComparison.Ordinal)) throw Refuse(at, "holds a zero character");
        return text;
    }

    public static int NumberOf(JsonElement value, string at, int minimum, int maximum) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= minimum && number <= maximum
            ? number
            : throw Refuse(at, $"is not a whole number from {minimum} to {maximum}");
}

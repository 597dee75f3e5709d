using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Cloister.Attestation;

/// <summary>A policy document is not of its form; caught where its reader begins and turned into a refusal.</summary>
internal sealed class PolicyRefusedException(Refusal refusal, string field, string reason) : Exception(reason)
{
    public Refusal Refusal { get; } = refusal;

    public string Field { get; } = field;
}

/// <summary>
/// The members of one object of a policy. Every known member must be there, once, and no other: a field that may be anything
/// says so.
/// </summary>
internal sealed class PolicyMembers
{
    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.Ordinal);
    private readonly string _at;

    public PolicyMembers(JsonElement value, string at, params ReadOnlySpan<string> known)
        : this(value, at, known, [])
    {
    }

    /// <summary>As the other, with members that may be left out because they have one meaning then.</summary>
    public PolicyMembers(JsonElement value, string at, ReadOnlySpan<string> required, ReadOnlySpan<string> optional)
    {
        _at = at;
        if (value.ValueKind != JsonValueKind.Object) throw new PolicyRefusedException(Refusal.PolicyMalformed, at, "is not an object");
        foreach (JsonProperty member in value.EnumerateObject())
        {
            if (!required.Contains(member.Name) && !optional.Contains(member.Name))
                throw new PolicyRefusedException(Refusal.PolicyMemberUnknown, $"{at}.{member.Name}", $"known are {string.Join(", ", [.. required, .. optional])}");
            if (!_members.TryAdd(member.Name, member.Value)) throw new PolicyRefusedException(Refusal.PolicyMemberDuplicate, $"{at}.{member.Name}", "stands twice");
        }
        foreach (string name in required)
            if (!_members.ContainsKey(name)) throw new PolicyRefusedException(Refusal.PolicyMemberMissing, $"{at}.{name}", "say what is accepted; there are no defaults");
    }

    /// <summary>Where a member stands, for reasons.</summary>
    public string At(string name) => $"{_at}.{name}";

    /// <summary>Whether an optional member is there.</summary>
    public bool Has(string name) => _members.ContainsKey(name);

    public JsonElement Element(string name) => _members[name];

    public bool Flag(string name) => _members[name].ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new PolicyRefusedException(Refusal.PolicyMalformed, At(name), "is not true or false"),
    };

    /// <summary>A digest or other bytes: a text, or an object with Exactly, OneOf or Any.</summary>
    public Requirement<string> Bytes(string name, int size) => Read(_members[name], At(name), false, (value, at) => HexOf(value, at, size));

    /// <summary>A whole number: itself, or an object with Exactly, AtLeast, OneOf or Any.</summary>
    public Requirement<long> Number(string name, long maximum) => Read(_members[name], At(name), true, (value, at) => NumberOf(value, at, maximum));

    /// <summary>A word of a known few: itself, or an object with Exactly, OneOf or Any.</summary>
    public Requirement<string> Word(string name, params string[] known) => Read(_members[name], At(name), false, (value, at) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { } text && known.Contains(text, StringComparer.Ordinal) ? text : throw new PolicyRefusedException(Refusal.PolicyMalformed, at, $"is not one of {string.Join(", ", known)}"));

    /// <summary>A text: itself, or an object with Exactly, OneOf or Any.</summary>
    public Requirement<string> Text(string name, int maximum) => Read(_members[name], At(name), false, (value, at) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.Length <= maximum ? text : throw new PolicyRefusedException(Refusal.PolicyMalformed, at, $"is not a text of at most {maximum} characters"));

    /// <summary>A version of so many numbers: a text, or an object with Exactly, AtLeast, OneOf or Any.</summary>
    public Requirement<Version> Version(string name, int numbers) => Read(_members[name], At(name), true, (value, at) => VersionOf(value, at, numbers));

    /// <summary>Whether a member says that it may be anything.</summary>
    public bool IsAny(string name)
    {
        if (_members[name].ValueKind != JsonValueKind.Object || !_members[name].TryGetProperty("Any", out _)) return false;
        return new PolicyMembers(_members[name], At(name), "Any").Flag("Any") ? true : throw new PolicyRefusedException(Refusal.PolicyMalformed, $"{At(name)}.Any", "its only value is true");
    }

    /// <summary>A text of some form: itself, or an object with Exactly, OneOf or Any.</summary>
    public Requirement<string> Text(string name, Func<string, bool> isOfForm, string form) => Read(_members[name], At(name), false, (value, at) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { } text && isOfForm(text) ? text : throw new PolicyRefusedException(Refusal.PolicyMalformed, at, $"is not {form}"));

    /// <summary>Yes or no: itself, or an object with Exactly or Any.</summary>
    public Requirement<bool> Boolean(string name)
    {
        Requirement<bool> read = Read(_members[name], At(name), false, (value, at) =>
            value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw new PolicyRefusedException(Refusal.PolicyMalformed, at, "is not true or false"));
        return read is Requirement<bool>.OneOf ? throw new PolicyRefusedException(Refusal.RequirementNotApplicable, $"{At(name)}.OneOf", "of two values, name one or any") : read;
    }

    /// <summary>A whole number from 0.</summary>
    public long PlainNumber(string name, long maximum) => NumberOf(_members[name], At(name), maximum);

    /// <summary>A bit field of 64 bits: an object with Required and Allowed, or Any.</summary>
    public BitRequirement Bits(string name)
    {
        JsonElement value = _members[name];
        string at = At(name);
        if (IsAny(name)) return BitRequirement.Any;
        var bits = new PolicyMembers(value, at, "Required", "Allowed");
        var read = new BitRequirement(bits.Mask("Required"), bits.Mask("Allowed"));
        return (read.Required & ~read.Allowed) == 0 ? read : throw new PolicyRefusedException(Refusal.PolicyMalformed, at, "a bit that is required must be allowed");
    }

    /// <summary>A list of texts, possibly empty.</summary>
    public ImmutableArray<string> Texts(string name)
    {
        JsonElement list = _members[name];
        if (list.ValueKind != JsonValueKind.Array) throw new PolicyRefusedException(Refusal.PolicyMalformed, At(name), "is not an array");
        if (list.GetArrayLength() > PolicyReader.MaximumValues) throw new PolicyRefusedException(Refusal.PolicyTooLarge, At(name), $"more than {PolicyReader.MaximumValues} values");
        return [.. list.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()! : throw new PolicyRefusedException(Refusal.PolicyMalformed, At(name), "holds something else than texts"))];
    }

    private ulong Mask(string name) =>
        _members[name].ValueKind == JsonValueKind.String && _members[name].GetString() is { Length: 18 } text && text.StartsWith("0x", StringComparison.Ordinal) && text.Skip(2).All(char.IsAsciiHexDigitLower)
            ? ulong.Parse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
            : throw new PolicyRefusedException(Refusal.PolicyMalformed, At(name), "is not 0x and 16 lower-case hexadecimal digits");

    private static Requirement<T> Read<T>(JsonElement value, string at, bool ordered, Func<JsonElement, string, T> one)
        where T : IComparable<T>, IEquatable<T>
    {
        if (value.ValueKind != JsonValueKind.Object) return Requirement.Exactly(one(value, at));
        JsonProperty[] members = [.. value.EnumerateObject().Take(2)];
        if (members.Length != 1) throw new PolicyRefusedException(Refusal.PolicyMalformed, at, ordered ? "exactly one of Exactly, AtLeast, OneOf, Any" : "exactly one of Exactly, OneOf, Any");
        JsonElement content = members[0].Value;
        string inner = $"{at}.{members[0].Name}";
        return members[0].Name switch
        {
            "Exactly" => Requirement.Exactly(one(content, inner)),
            "OneOf" => Requirement.OneOf(Items(content, inner, one)),
            "AtLeast" when ordered => Requirement.AtLeast(one(content, inner)),
            "AtLeast" => throw new PolicyRefusedException(Refusal.RequirementNotApplicable, inner, "digests have no order"),
            "Any" when content.ValueKind == JsonValueKind.True => Requirement.Any<T>(),
            "Any" => throw new PolicyRefusedException(Refusal.PolicyMalformed, inner, "its only value is true"),
            _ => throw new PolicyRefusedException(Refusal.PolicyMemberUnknown, inner, "known are Exactly, AtLeast, OneOf and Any"),
        };
    }

    private static ImmutableArray<T> Items<T>(JsonElement list, string at, Func<JsonElement, string, T> one)
    {
        if (list.ValueKind != JsonValueKind.Array) throw new PolicyRefusedException(Refusal.PolicyMalformed, at, "OneOf is an array");
        int count = list.GetArrayLength();
        if (count == 0) throw new PolicyRefusedException(Refusal.PolicyEmpty, at, "an empty list accepts nothing and is not written");
        if (count > PolicyReader.MaximumValues) throw new PolicyRefusedException(Refusal.PolicyTooLarge, at, $"more than {PolicyReader.MaximumValues} values");
        return [.. list.EnumerateArray().Select((item, i) => one(item, $"{at}[{i}]"))];
    }

    private static string HexOf(JsonElement value, string at, int size) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.Length == 2 * size && text.All(char.IsAsciiHexDigitLower)
            ? text
            : throw new PolicyRefusedException(Refusal.PolicyDigestInvalid, at, $"is not {2 * size} lower-case hexadecimal digits");

    private static Version VersionOf(JsonElement value, string at, int numbers) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: <= 32 } text && text.All(one => one == '.' || char.IsAsciiDigit(one)) && text.Count(one => one == '.') == numbers - 1
        && System.Version.TryParse(text, out Version? version)
            ? version
            : throw new PolicyRefusedException(Refusal.PolicyMalformed, at, $"is not a version of {numbers} numbers, such as {(numbers == 2 ? "1.55" : "1.55.21")}");

    private static long NumberOf(JsonElement value, string at, long maximum) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= 0 && number <= maximum
            ? number
            : throw new PolicyRefusedException(Refusal.PolicyMalformed, at, $"is not a whole number from 0 to {maximum}");
}

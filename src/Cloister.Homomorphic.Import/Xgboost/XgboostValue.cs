using System.Globalization;
using System.Text.Json;

namespace Cloister.Homomorphic.Import.Xgboost;

/// <summary>A value of XGBoost's JSON and how a refusal names it. Parameters are numbers in texts.</summary>
internal sealed class XgboostValue(JsonElement element, string path)
{
    public string Path => path;

    public XgboostValue this[string member] => Find(member) ?? throw new ImportException(ImportError.MissingMember, $"The XGBoost model has no {path}.{member}.");

    public XgboostValue? Find(string member)
    {
        if (element.ValueKind != JsonValueKind.Object) throw Refuse("is no object");
        return element.TryGetProperty(member, out JsonElement found) ? new XgboostValue(found, $"{path}.{member}") : null;
    }

    public bool Has(string member) => Find(member) is not null;

    /// <summary>Refuses members that are not known, since they could change what the model means, and such as stand twice.</summary>
    public void Demand(params string[] members)
    {
        if (element.ValueKind != JsonValueKind.Object) throw Refuse("is no object");
        HashSet<string> seen = [];
        foreach (JsonProperty member in element.EnumerateObject())
        {
            if (!members.Contains(member.Name)) throw new ImportException(ImportError.UnknownMember, $"The XGBoost model has {path}.{Short(member.Name)}, which is not known.");
            if (!seen.Add(member.Name)) throw Refuse($"says '{member.Name}' twice");
        }
    }

    public string Text() => element.ValueKind == JsonValueKind.String ? element.GetString()! : throw Refuse("is no text");

    public int Length => element.ValueKind == JsonValueKind.Array ? element.GetArrayLength() : throw Refuse("is no list");

    public IEnumerable<XgboostValue> Items => element.ValueKind == JsonValueKind.Array
        ? element.EnumerateArray().Select((item, i) => new XgboostValue(item, $"{path}[{i.ToString(CultureInfo.InvariantCulture)}]"))
        : throw Refuse("is no list");

    public string[] Texts() => [.. Items.Select(item => item.Text())];

    /// <summary>Exactly <paramref name="count"/> numbers, or any number of them where it is negative; truth values count as 0 and 1.</summary>
    public double[] Numbers(int count)
    {
        if (count >= 0 && Length != count) throw new ImportException(ImportError.LengthMismatch, $"The XGBoost model has {Length} numbers in {path} where {count} are due.");
        double[] numbers = new double[Length];
        int at = 0;
        foreach (JsonElement item in element.EnumerateArray())
        {
            numbers[at++] = item.ValueKind switch
            {
                JsonValueKind.Number => item.TryGetDouble(out double number) && double.IsFinite(number) ? number : throw NotFinite(),
                JsonValueKind.True => 1,
                JsonValueKind.False => 0,
                _ => throw Refuse("holds something that is no number"),
            };
        }
        return numbers;
    }

    public int[] Integers(int count) => Array.ConvertAll(Numbers(count), number =>
        number is >= int.MinValue and <= int.MaxValue && Math.Floor(number) == number ? (int)number : throw Refuse("holds a number that is no integer"));

    /// <summary>A count, written as text or number.</summary>
    public int Count(int most, int least = 1)
    {
        string text = element.ValueKind == JsonValueKind.Number ? element.GetRawText() : Text();
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count < least) throw Refuse($"is '{Short(text)}', which is no count");
        return count <= most ? count : throw new ImportException(ImportError.TooLarge, $"The XGBoost model has {count} in {path}; up to {most} are read.");
    }

    /// <summary>One number in a text, or from version 3.1 on several in brackets.</summary>
    public double[] List() => [.. Text().Trim('[', ']').Split(',').Select(word =>
        !double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? throw Refuse($"holds '{Short(word)}', which is no number")
        : double.IsFinite(value) ? value
        : throw NotFinite())];

    public ImportException Refuse(string what) => new(ImportError.Malformed, $"The XGBoost model's {path} {what}.");

    private ImportException NotFinite() => new(ImportError.NotFinite, $"The XGBoost model has a number in {path} that is not finite.");

    private static string Short(string value) => value.Length > 40 ? $"{value[..40]}..." : value;
}

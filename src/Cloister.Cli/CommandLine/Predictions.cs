using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Models;

namespace Cloister.Cli.CommandLine;

/// <summary>Decrypted predictions as lines and as JSON.</summary>
internal static class Predictions
{
    public static string ToText(ClientSpecification specification, IReadOnlyList<ModelAnswer> answers) => string.Join('\n', answers.Select((answer, row) =>
        string.Create(CultureInfo.InvariantCulture, $"{row + 1,6}  {Label(answer)}{string.Join("  ", Values(specification, answer))}")));

    public static JsonArray ToJson(IReadOnlyList<ModelAnswer> answers) => new([.. answers.Select((answer, row) => (JsonNode)new JsonObject
    {
        ["row"] = row + 1,
        ["class"] = answer.Class,
        ["values"] = Numbers(answer.Values),
        ["scores"] = Numbers(answer.Scores),
    })]);

    private static string Label(ModelAnswer answer) => answer.Class is { } name ? $"{Printable(name)}  " : "";

    private static IEnumerable<string> Values(ClientSpecification specification, ModelAnswer answer)
    {
        bool named = specification.Output.Classes.Count == answer.Values.Count;
        return answer.Values.Select((value, i) => string.Create(CultureInfo.InvariantCulture, $"{(named ? Printable(specification.Output.Classes[i]) + "=" : "")}{value:0.######}"));
    }

    // Names come from a specification that somebody else wrote.
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));

    private static JsonArray Numbers(IReadOnlyList<double> numbers) => new([.. numbers.Select(number => double.IsFinite(number) ? (JsonNode)JsonValue.Create(number) : null)]);
}

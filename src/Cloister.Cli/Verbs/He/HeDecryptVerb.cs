using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;

namespace Cloister.Cli.Verbs;

internal static class HeDecryptVerb
{
    private static readonly Option<string> Specification = EncryptedModelFiles.Specification();
    private static readonly Option<string> Key = EncryptedModelFiles.Key();
    private static readonly Option<string> Answer = new("--answer") { Description = "The answer file.", Required = true };
    private static readonly Passphrase Words = new();

    public static Command Create()
    {
        var verb = new Verb("decrypt", "Decrypt an answer with the key that its query was made with, offline.",
            "cloister he decrypt --spec client.json --client-key client.key --answer rows.answer",
            "cloister he decrypt --spec client.json --client-key client.key --answer rows.answer --json") { Specification, Key, Answer };
        verb.More = ["An answer in a file is not authenticated: take it from the server that was asked (he predict --query), and tell nobody what it decrypts to who may have changed it."];
        Words.AddTo(verb);
        return verb.Runs(DecryptAsync);
    }

    private static async Task DecryptAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        ClientSpecification specification = await EncryptedModelFiles.ReadSpecificationAsync(parsed.GetRequiredValue(Specification), cancellation);
        byte[] answer = await LocalFile.ReadAsync(parsed.GetRequiredValue(Answer), cancellation, Envelope.MaximumBody);
        using ClientKey key = await EncryptedModelFiles.ReadKeyAsync(parsed.GetRequiredValue(Key), Words, parsed, cancellation);
        using var model = new KeyedModel(specification, key);
        IReadOnlyList<ModelAnswer> answers = model.Decrypt(answer);
        screen.Result(Predictions.ToText(specification, answers), new JsonObject { ["model"] = specification.Model, ["digest"] = specification.Digest, ["predictions"] = Predictions.ToJson(answers) });
    }
}

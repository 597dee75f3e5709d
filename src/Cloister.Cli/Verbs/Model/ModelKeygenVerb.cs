using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Sealing;

namespace Cloister.Cli.Verbs;

internal static class ModelKeygenVerb
{
    private static readonly Option<string> Out = new("--out") { Description = "Folder for model.key, maker.pem and maker.pub.", Required = true };
    private static readonly Option<SignatureAlgorithm> Algorithm = new("--algorithm") { Description = "The maker's signature algorithm.", DefaultValueFactory = _ => SignatureAlgorithm.Ed25519 };

    public static Command Create() => new Verb("keygen", "Make a model's key and its maker's signing key.",
        "cloister model keygen --out owner",
        "cloister model keygen --out owner --algorithm EcdsaP256") { Out, Algorithm }
        .Runs(async (parsed, screen, cancellation) =>
        {
            string folder = parsed.GetRequiredValue(Out);
            using MakerKey maker = MakerKey.Generate(parsed.GetValue(Algorithm));
            await KeyFile.WriteNewAsync(Path.Combine(folder, "model.key"), cancellation);
            await LocalFile.WriteSecretAsync(Path.Combine(folder, "maker.pem"), Encoding.ASCII.GetBytes(maker.ToPem()), cancellation);
            await LocalFile.WriteAsync(Path.Combine(folder, "maker.pub"), Encoding.ASCII.GetBytes(maker.Public.ToPem()), cancellation);
            string spki = Convert.ToBase64String(maker.Public.SubjectPublicKeyInfo.Span);
            screen.Result(
                $"wrote model.key (keep it: whoever has it can open the model), maker.pem (keep it: it signs) and maker.pub to '{folder}'\nmaker {maker.Public}",
                new JsonObject { ["folder"] = folder, ["makerKey"] = spki, ["maker"] = maker.Public.Fingerprint });
        });
}

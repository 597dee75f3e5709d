using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client.MarbleRun;

namespace Cloister.Cli.Verbs;

/// <summary>The coordinator's certificates as files, for those who check its workloads by them. The default names are MarbleRun's.</summary>
internal static class CertificateVerb
{
    public static Command Create() => new Verb("certificate", "Verify the coordinator, and write its certificates to a file.")
    {
        One("root", "The root certificate: the coordinator's own, which is attested.", "marblerunRootCA.crt", quote => CoordinatorCertificates.ToPem(quote.Root)),
        One("intermediate", "The intermediate certificate: it signs the workloads', and changes with every update.", "marblerunIntermediateCA.crt", quote => CoordinatorCertificates.ToPem(quote.Intermediate)),
        One("chain", "Both: the intermediate, then the root.", "marblerunChainCA.crt", quote => CoordinatorCertificates.ToPem(quote.Intermediate, quote.Root)),
    };

    private static Command One(string name, string description, string file, Func<MarbleRunQuote, byte[]> pem)
    {
        var coordinator = new Reach(Trust.Fresh);
        var output = new Option<string>("--output", "-o") { Description = "The file.", DefaultValueFactory = _ => file };
        var verb = new Verb(name, description,
            $"cloister certificate {name} localhost:4433 --policy client/policy.json -o {name}.crt",
            $"cloister certificate {name} localhost:4433 --era-config coordinator-era.json") { output };
        return coordinator.AddTo(verb).Runs(async (parsed, screen, cancellation) =>
        {
            string path = parsed.GetRequiredValue(output);
            if (path.Length == 0)
                throw new CommandException(ExitCode.Usage, "--output names a file.");
            ReachedCoordinator reached = await coordinator.OpenAsync(parsed, screen, cancellation);
            byte[] text = pem(reached.Certificates!);
            await LocalFile.WriteAsync(path, text, cancellation);
            screen.Result($"wrote the coordinator's {name} certificate{(name == "chain" ? "s" : "")} to '{path}'",
                new JsonObject { ["file"] = path, ["certificate"] = Encoding.ASCII.GetString(text), ["verified"] = reached.IsVerified });
        });
    }
}

using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Attestation.Sgx;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class PackageInfoVerb
{
    private const string OcclumLibrary = "build/lib/libocclum-libos.signed.so";
    private static readonly Argument<string> Target = new("path") { Description = "A signed enclave: an ELF file (Open Enclave, EGo, Intel's SDK), Gramine's .sig file, or the folder of a Gramine or Occlum instance." };

    public static Command Create() => new Verb("package-info", "Print what an SGX enclave's signature says of it, for a package in a manifest.",
        "cloister package-info my-enclave.signed",
        "cloister package-info python.sig --json") { Target }
        .Runs(async (parsed, screen, cancellation) =>
        {
            string path = Choose(parsed.GetRequiredValue(Target));
            await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 4096, useAsync: false);
            Outcome<SigStruct> read = EnclaveImage.Read(file);
            if (!read.IsAccepted)
                throw new CommandException(read.Refusal == Refusal.SigStructSignature ? ExitCode.Refused : ExitCode.BadInput, $"'{path}': {read.Reason} ({(int)read.Refusal} {read.Refusal})");
            SigStruct enclave = read.Value;
            string debug = enclave.Debug switch { true => "true", false => "false", _ => "as launched (the signature leaves it open)" };
            screen.Result(string.Create(CultureInfo.InvariantCulture, $"""
                PackageProperties for '{path}':
                UniqueID (MRENCLAVE)      : {enclave.MrEnclave}
                SignerID (MRSIGNER)       : {enclave.MrSigner}
                ProductID (ISVPRODID)     : {enclave.ProductId}
                SecurityVersion (ISVSVN)  : {enclave.SecurityVersion}
                Debug                     : {debug}
                """),
                new JsonObject
                {
                    ["UniqueID"] = enclave.MrEnclave,
                    ["SignerID"] = enclave.MrSigner,
                    ["ProductID"] = enclave.ProductId,
                    ["SecurityVersion"] = enclave.SecurityVersion,
                    ["Debug"] = enclave.Debug,
                });
        });

    private static string Choose(string path)
    {
        if (!Directory.Exists(path))
            return path;
        string occlum = Path.Combine(path, OcclumLibrary);
        if (File.Exists(occlum))
            return occlum;
        string[] signatures = Directory.GetFiles(path, "*.sig");
        return signatures.Length == 1 ? signatures[0] : throw new CommandException(ExitCode.BadInput,
            $"'{path}' holds {(signatures.Length == 0 ? "no" : "several")} .sig files and no {OcclumLibrary}: name the enclave's file itself.");
    }
}

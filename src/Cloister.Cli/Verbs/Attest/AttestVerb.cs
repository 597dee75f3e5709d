using System.CommandLine;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class AttestVerb
{
    public static Command Create() => new Verb("attest", "Verify and read evidence of TPM, SEV-SNP, TDX and SGX, offline.")
    {
        AttestVerifyVerb.Create(),
        AttestInspectVerb.Create(),
        AttestExplainVerb.Create(),
        AttestPolicyVerb.Create(),
    };
}

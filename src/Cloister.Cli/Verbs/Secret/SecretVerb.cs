using System.CommandLine;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class SecretVerb
{
    public static Command Create() => new Verb("secret", "Release secrets to a verified coordinator, and read them.") { SecretSetVerb.Create(), SecretGetVerb.Create(), SecretAcknowledgeVerb.Create() };
}

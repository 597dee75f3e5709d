using Cloister.Coordinator.Manifest;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Update;

/// <summary>
/// What is wrong with a manifest that is to follow another, in the words of its surface. MarbleRun finds out about users, secrets and
/// templates only after everybody has acknowledged; here it is said to the one who sends it, in the same words and order.
/// </summary>
internal static class UpdateProblems
{
    private const string Decoding = "unmarshaling manifest: ", Checking = "checking manifest: ";

    public static IEnumerable<string> Of(ManifestOutcome outcome, ManifestDialect dialect) => dialect == ManifestDialect.MarbleRun
        ? outcome.Problems.OrderBy(problem => Stage(problem.Code)).Take(1).Select(MarbleRun)
        : ManifestIntake.WithPlaces(outcome);

    private static int Stage(ManifestProblemCode code) => code switch
    {
        < ManifestProblemCode.SecretSizeWrong => 0,
        ManifestProblemCode.UserCertificateWrong => 1,
        ManifestProblemCode.RecoveryKeyWrong => 4,
        ManifestProblemCode.TemplateWrong => 3,
        _ => 2,
    };

    private static string MarbleRun(ManifestProblem problem)
    {
        if (problem.Message.StartsWith(Decoding, StringComparison.Ordinal))
            return "unmarshaling update manifest: " + problem.Message[Decoding.Length..];
        if (problem.Message.StartsWith(Checking, StringComparison.Ordinal))
            return "invalid manifest: " + problem.Message[Checking.Length..];
        return Stage(problem.Code) is 2 or 3 ? "updating secrets: " + problem.Message : problem.Message;
    }
}
